/* Campaigns in the database: rows to structs and back. What may be done to them: store/campaign.h */
#ifndef STORE_BATCH_STORE_H
#define STORE_BATCH_STORE_H

#include "domain/batch.h"
#include "store/db.h"

/* DB_NOT_FOUND: no such campaign in this organisation. Strings and lists live in the arena. */
enum db_result batch_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                         struct arena *arena, struct batch *out);
/* Whatever its organisation, for who administers them all. */
enum db_result batch_find(struct db *db, const struct uuid *uuid, struct arena *arena, struct batch *out);
enum db_result batch_get_row(struct db *db, int64_t id, struct arena *arena, struct batch *out);

/* The same, and the campaign's row stays locked until the transaction ends. */
enum db_result batch_lock(struct db *db, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct batch *out);
/* Others may do the same. */
enum db_result batch_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                 struct batch *out);

/* Reads the campaigns whose internal ids are the first column of `ids`, in that order. One that was deleted meanwhile is
 * left out. */
enum db_result batch_load(struct db *db, const struct db_rows *ids, struct arena *arena, struct batch **campaigns,
                          size_t *count);

/* Inserts a draft without numbers; sets id. uuid, organization_id, agent_row, config and created_at_us are given, and
 * counts.total, if its first contacts follow. */
enum db_result batch_insert(struct db *db, struct batch *batch);
enum db_result batch_save_config(struct db *db, const struct batch *batch);
/* Counts the calls of the local day of `now_us` anew into day and day_calls; the second also saves them. */
enum db_result batch_count_day(struct db *db, struct batch *batch, int64_t now_us);
enum db_result batch_recount_day(struct db *db, struct batch *batch, int64_t now_us);
enum db_result batch_save_state(struct db *db, const struct batch *batch);
/* Logs that the campaign begins to wait for a time zone, waits for another reason or goes on, if `now` is not `before`. */
void batch_log_zone_trouble(const struct uuid *uuid, const char *before, const char *now);
/* Logs and saves it. */
enum db_result batch_save_zone_trouble(struct db *db, int64_t id, const struct uuid *uuid, const char *before,
                                       const char *now);

/* Outside of a transaction: postpones the campaign by a minute and says so in its status_reason, when the database
 * refuses its work, so that it does not hold up the others. What saves its plan or its claim ends that. */
enum db_result batch_set_aside(struct db *db, int64_t id, int64_t now_us);

/* How many of its numbers are left; these stay until the transaction ends. */
enum db_result batch_lock_numbers(struct db *db, const struct batch *batch, int64_t *left);

/* Writes config.phone_number_ids, or the agent's outbound numbers when there are none.
 * *found: how many numbers the campaign has now. The first is for a campaign that has none yet. */
enum db_result batch_set_numbers(struct db *db, const struct batch *batch, int64_t *found);
enum db_result batch_save_numbers(struct db *db, const struct batch *batch, int64_t *found);
/* What that would write: *found, and the pace of these numbers together; *calls_per_minute is 0 when one has none. */
enum db_result batch_find_numbers(struct db *db, const struct batch *batch, int64_t *found, int64_t *calls_per_minute);

/* Reads the columns of CALENDAR_TABLE, which begin at `column`, into the config. Lists are in the arena. */
void batch_read_calendar(const struct db_rows *rows, size_t r, size_t column, struct arena *arena,
                         struct batch_config *config);

#endif
