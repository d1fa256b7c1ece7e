/* Telephone numbers. Strings and lists live in the arena. */
#ifndef STORE_NUMBER_STORE_H
#define STORE_NUMBER_STORE_H

#include "domain/number.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such number. */
enum db_result number_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct phone_number *out);

/* `search`: a part of the number or of its name; "": all. */
enum db_result number_list(struct db *db, int64_t organization_id, const char *search, const struct page *page,
                           struct arena *arena, struct listing *out); /* of struct phone_number */

/* Like number_get, and locks the row until the transaction ends. */
enum db_result number_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct phone_number *out);

/* Saves friendly_name, provider_type and pace. */
enum db_result number_update(struct db *db, const struct phone_number *number, int64_t now_us);

/* Inserts a number and sets id. DB_DUPLICATE: the organisation has this number already. */
enum db_result number_insert(struct db *db, int64_t organization_id, struct phone_number *number);

/* Counts a single call against the pace of a number, if the pace allows the call. `number_row` 0: there is no pace.
 * *wait_us: 0, or how long the call has to wait. */
enum db_result number_take_call(struct db *db, int64_t number_row, int64_t now_us, int64_t *wait_us);

/* agent_row: the internal key of the agent that answers calls to the number, or calls from it; 0: none. */
enum number_direction { NUMBER_INBOUND, NUMBER_OUTBOUND };
enum db_result number_assign(struct db *db, const struct phone_number *number, enum number_direction direction,
                             int64_t agent_row);

/* Deletes a number. Campaigns go on with their other numbers. DB_NOT_FOUND: this organisation has no such number. */
enum db_result number_delete(struct db *db, int64_t organization_id, const struct uuid *uuid);

#endif
