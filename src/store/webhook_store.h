/* Webhook endpoints. Strings and lists live in the arena. */
#ifndef STORE_WEBHOOK_STORE_H
#define STORE_WEBHOOK_STORE_H

#include "domain/webhook.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such endpoint. Only webhook_get reads the health too; the functions
 * that lock do not. */
enum db_result webhook_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct webhook *out);

/* Like webhook_get, and locks the row until the transaction ends: to change it, or to prevent changes. */
enum db_result webhook_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                            struct webhook *out);
enum db_result webhook_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                   struct webhook *out);

enum db_result webhook_list(struct db *db, int64_t organization_id, const struct page *page, struct arena *arena,
                            struct listing *out); /* of struct webhook */

/* Sets id. */
enum db_result webhook_insert(struct db *db, int64_t organization_id, struct webhook *webhook);
enum db_result webhook_update(struct db *db, const struct webhook *webhook);

enum db_result webhook_renew_secret(struct db *db, const struct webhook *webhook);

/* Deletes an endpoint. Its waiting deliveries end as failed, in the background. */
enum db_result webhook_delete(struct db *db, const struct webhook *webhook);

/* Switches an endpoint off because it fails, and sends an event about that to the organisation's other endpoints. Does
 * nothing if it is off or deleted, or was changed since `judged_us`: it may have another address now. */
enum db_result webhook_switch_off(struct db *db, int64_t id, int64_t judged_us, const char *reason, int64_t now_us);

/* Counts the agents whose calls go to this endpoint. */
enum db_result webhook_count_agents(struct db *db, const struct webhook *webhook, int64_t *count);

/* Reads the figures of these endpoints of the organisation. webhook_get and webhook_list do so. */
enum db_result webhook_read_figures(struct db *db, int64_t organization_id, struct webhook *webhooks, size_t count,
                                    struct arena *arena);

#endif
