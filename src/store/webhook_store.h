/* Webhook endpoints. Strings and lists live in the arena. */
#ifndef STORE_WEBHOOK_STORE_H
#define STORE_WEBHOOK_STORE_H

#include "domain/webhook.h"
#include "store/db.h"
#include "store/page.h"

/* DB_NOT_FOUND: no such endpoint in this organisation. Only what is got, not what is locked, comes with its health. */
enum db_result webhook_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                           struct arena *arena, struct webhook *out);

/* The same; the row stays until the transaction ends: unchanged, or as it is. */
enum db_result webhook_lock(struct db *db, int64_t organization_id, const struct uuid *uuid,
                            struct arena *arena, struct webhook *out);
enum db_result webhook_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid,
                                   struct arena *arena, struct webhook *out);

enum db_result webhook_list(struct db *db, int64_t organization_id, const struct page *page,
                            struct arena *arena, struct listing *out); /* of struct webhook */

/* Sets id. */
enum db_result webhook_insert(struct db *db, int64_t organization_id, struct webhook *webhook);
enum db_result webhook_update(struct db *db, const struct webhook *webhook);

enum db_result webhook_renew_secret(struct db *db, const struct webhook *webhook);

/* What is still to be delivered there ends as failed, in the background. */
enum db_result webhook_delete(struct db *db, const struct webhook *webhook);

/* Switched off by ourselves, which the organisation's other endpoints are told; nothing if it is off or gone. */
enum db_result webhook_switch_off(struct db *db, int64_t id, const char *reason, int64_t now_us);

/* How many agents have their calls placed there. */
enum db_result webhook_count_agents(struct db *db, const struct webhook *webhook, int64_t *count);

/* Of each of these, which are the organisation's. webhook_get and webhook_list do so. */
enum db_result webhook_read_figures(struct db *db, int64_t organization_id, struct webhook *webhooks, size_t count,
                                    struct arena *arena);

#endif
