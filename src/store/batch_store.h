/* Campaigns in the database: rows to structs and back. The actions on campaigns are in engine/campaign.h. */
#ifndef STORE_BATCH_STORE_H
#define STORE_BATCH_STORE_H

#include "domain/batch.h"
#include "store/columns.h"
#include "store/db.h"

/* The forms of a campaign's lists, and the kinds of tables.h that are read and written by them. */
extern const struct column_form calling_windows_form, dates_form, retries_form;
#define WINDOWS_AS(type, name, member) FORM_AS(type, name, member, &calling_windows_form)
#define DATES_AS(type, name, member) FORM_AS(type, name, member, &dates_form)
#define RETRIES_AS(type, name, member) FORM_AS(type, name, member, &retries_form)

/* Returns DB_NOT_FOUND if this organisation has no such campaign. Strings and lists live in the arena. */
enum db_result batch_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                         struct batch *out);
/* Finds a campaign of any organisation, for administrators. */
enum db_result batch_find(struct db *db, const struct uuid *uuid, struct arena *arena, struct batch *out);
/* Finds the organisation of a campaign. */
enum db_result batch_organization(struct db *db, const struct uuid *uuid, int64_t *organization_id);
enum db_result batch_get_row(struct db *db, int64_t id, struct arena *arena, struct batch *out);

/* Like batch_get, and locks the campaign's row until the transaction ends. */
enum db_result batch_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct batch *out);
/* Like batch_lock, but others may lock it in the same way. */
enum db_result batch_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                 struct batch *out);

/* Reads the campaigns whose internal ids are in the first column of `ids`, in that order. A campaign that was deleted
 * meanwhile is left out. */
enum db_result batch_load(struct db *db, const struct db_rows *ids, struct arena *arena, struct batch **campaigns,
                          size_t *count);

/* When a scheduler looks at the campaign next, and for what. */
struct batch_look {
	enum batch_work work;
	int64_t wake_at_us;
	bool capped; /* it waits for a place */
};
enum db_result batch_get_look(struct db *db, int64_t id, struct batch_look *out);

/* Locks the campaign that has waited longest for this kind of work. *id: its row; 0: none waits, or others have locked
 * all that do. */
enum db_result batch_lock_waiting(struct db *db, enum batch_work work, int64_t now_us, int64_t *id);

/* Inserts a draft without numbers, and sets id. The caller sets uuid, organization_id, agent_row, config and
 * created_at_us; and counts.total, if its first contacts follow. */
enum db_result batch_insert(struct db *db, struct batch *batch);
enum db_result batch_save_config(struct db *db, const struct batch *batch);
/* Counts the calls of the local day of `now_us` again, into day and day_calls. The second function also saves them. */
enum db_result batch_count_day(struct db *db, struct batch *batch, int64_t now_us);
enum db_result batch_recount_day(struct db *db, struct batch *batch, int64_t now_us);
enum db_result batch_save_state(struct db *db, const struct batch *batch);
/* If `now` differs from `before`, logs that the campaign waits for a time zone, waits for another reason, or goes on.
 */
void batch_log_zone_trouble(const struct uuid *uuid, const char *before, const char *now);
/* Logs and saves the campaign's zone_trouble. */
enum db_result batch_save_zone_trouble(struct db *db, int64_t id, const struct uuid *uuid, const char *before,
                                       const char *now);

/* Outside of a transaction, when work on the campaign has failed with the result `why`: postpones the campaign, so that
 * it does not block the others. If only a lock was missing, it is postponed for less than a second (conflicts.h).
 * Otherwise it is postponed by a minute, and its status_reason says so until its plan or a claim is saved. */
enum db_result batch_set_aside(struct db *db, int64_t id, enum db_result why, int64_t now_us);

/* Reads the campaign's numbers into config.phone_number_ids and from_number. */
enum db_result batch_get_numbers(struct db *db, struct arena *arena, struct batch *batch);
/* Counts the numbers that the campaign still has. They cannot be deleted until the transaction ends. */
enum db_result batch_lock_numbers(struct db *db, const struct batch *batch, int64_t *left);

/* Writes config.phone_number_ids, or the agent's outbound numbers if the client gave none. *found: how many numbers the
 * campaign has now. batch_set_numbers is for a campaign without numbers. */
enum db_result batch_set_numbers(struct db *db, const struct batch *batch, int64_t *found);
enum db_result batch_save_numbers(struct db *db, const struct batch *batch, int64_t *found);
/* Finds what batch_save_numbers would write: *found, and the pace of these numbers together. *calls_per_minute is 0 if
 * one of them has no pace. */
enum db_result batch_find_numbers(struct db *db, const struct batch *batch, int64_t *found, int64_t *calls_per_minute);

#endif
