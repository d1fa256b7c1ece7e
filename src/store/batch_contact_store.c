#include "store/batch_contact_store.h"

#include "base/json.h"
#include "store/statements.h"

#define ROWS_PER_STATEMENT 1000
#define BYTES_PER_STATEMENT (4 << 20) /* a server takes 16 MiB at least */

static void write_contact(struct json *json, const struct contact_input *contact)
{
	json_begin_array(json, NULL);
	json_add_string(json, NULL, contact->phone_number);
	json_add_string(json, NULL, contact->first_name);
	json_add_string(json, NULL, contact->last_name);
	json_add_string(json, NULL, contact->email);
	json_add_string(json, NULL, contact->timezone);
	json_add_string(json, NULL, contact->custom_fields);
	json_end(json);
}

/* *added: how many of the `count` one statement took. */
static enum db_result add_rows(struct db *db, const struct batch *batch, int64_t behind,
                               const struct contact_input *contacts, size_t count, size_t *added)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (*added = 0; *added < count && *added < ROWS_PER_STATEMENT && rows.len < BYTES_PER_STATEMENT; ++*added)
		write_contact(&json, &contacts[*added]);
	json_end(&json);
	result = db_exec(db, SQL_CONTACTS_ADD, DB_ARGS(
		db_int(batch->id), db_int(behind), db_int(batch->id), db_buf(&rows)));
	buf_free(&rows);
	return result;
}

/* Counts the contacts that now stand behind the last one that was known. */
static enum db_result count_added(struct db *db, struct batch *batch, int64_t count)
{
	struct db_value id = db_int(batch->id);
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CONTACTS_SKIPPED_AFTER, DB_ARGS(id, db_int(batch->counts.total)),
	                                 arena, &rows);
	int64_t skipped = result == DB_OK ? db_get_int(&rows, 0, 0) : 0;

	arena_free(arena);
	if (result != DB_OK)
		return result;
	batch->counts.total += count;
	batch->counts.skipped += skipped;
	batch->counts.pending += count - skipped;
	return db_exec(db, SQL_CONTACTS_ADDED, DB_ARGS(
		db_int(count), db_int(skipped), db_instant(batch->updated_at_us), id));
}

enum db_result batch_contacts_add(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                  size_t count)
{
	int64_t behind = batch->counts.total;

	for (size_t done = 0, added; done < count; done += added)
		DB_TRY(add_rows(db, batch, behind + (int64_t)done, contacts + done, count - done, &added));
	return count_added(db, batch, (int64_t)count);
}

/* Where the next contacts of a folder end; *count: how many they are at this moment. Others come and go before they are
 * copied. */
static enum db_result find_portion(struct db *db, const struct batch *batch, const struct folder_part *part,
                                   int64_t limit, int64_t *last, int64_t *count)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_KEPT_PORTION, DB_ARGS(
		db_int(batch->organization_id), db_int(part->folder_row), db_int(part->after_id), db_int(part->last_id),
		db_int(limit)), arena, &rows);

	if (result == DB_OK) {
		*last = db_get_int(&rows, 0, 0);
		*count = db_get_int(&rows, 0, 1);
	}
	arena_free(arena);
	return result;
}

enum db_result batch_contacts_copy_part(struct db *db, struct batch *batch, struct folder_part *part, int64_t limit,
                                        bool *all)
{
	int64_t last, count;

	DB_TRY(find_portion(db, batch, part, limit, &last, &count));
	*all = count < limit;
	if (count == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CONTACTS_COPY_FOLDER, DB_ARGS(
		db_int(batch->id), db_int(batch->counts.total), db_int(batch->organization_id), db_int(part->folder_row),
		db_int(part->after_id), db_int(last))));
	part->after_id = last;
	return count_added(db, batch, db_affected(db));
}

static enum db_result find_missing(struct db *db, const struct batch *batch, const struct buf *ids,
                                   struct uuid *missing)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CONTACTS_MISSING_ID,
	                                 DB_ARGS(db_buf(ids), db_int(batch->organization_id)), arena, &rows);

	if (result == DB_OK && rows.count == 0)
		result = DB_CONFLICT; /* deleted and made again at this very moment: run again */
	if (result == DB_OK) {
		*missing = db_get_uuid(&rows, 0, 0);
		result = DB_NOT_FOUND;
	}
	arena_free(arena);
	return result;
}

enum db_result batch_contacts_copy(struct db *db, struct batch *batch, const struct uuid *ids, size_t count,
                                   struct uuid *missing)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < count; i++)
		json_hex_id(&json, NULL, &ids[i]);
	json_end(&json);
	result = db_exec(db, SQL_CONTACTS_COPY_IDS, DB_ARGS(
		db_int(batch->id), db_int(batch->counts.total), db_buf(&rows), db_int(batch->organization_id)));
	if (result == DB_OK && db_affected(db) < (int64_t)count)
		result = find_missing(db, batch, &rows, missing);
	buf_free(&rows);
	return result == DB_OK ? count_added(db, batch, (int64_t)count) : result;
}

/* What waits is stored alike; what it is called follows from the campaign and from the plan. */
static enum contact_status derive_status(const struct batch *batch, enum contact_status stored, bool planned)
{
	if (stored != CONTACT_PENDING)
		return stored;
	if (batch_is_over(batch->status))
		return CONTACT_CANCELLED;
	return planned ? CONTACT_SCHEDULED : CONTACT_PENDING;
}

static struct batch_contact read_contact(const struct db_rows *rows, size_t r, const struct batch *batch)
{
	return (struct batch_contact){
		.position = db_get_int(rows, r, 0),
		.who = {
			.phone_number = db_get_text(rows, r, 1),
			.first_name = db_get_text(rows, r, 2),
			.last_name = db_get_text(rows, r, 3),
			.email = db_get_text(rows, r, 4),
			.timezone = db_get_text(rows, r, 5),
			.custom_fields = db_get_text(rows, r, 6),
		},
		.status = derive_status(batch, (enum contact_status)db_get_int(rows, r, 7),
		                        db_get_int(rows, r, 19) != 0),
		.attempts = db_get_int(rows, r, 8),
		.scheduled_at_us = db_get_int(rows, r, 9),
		.call_id = db_get_uuid(rows, r, 10),
		.call_status = (int)db_get_int(rows, r, 11),
		.from_number = db_get_text(rows, r, 12),
		.called_at_us = db_get_int(rows, r, 13),
		.ended_at_us = db_get_int(rows, r, 14),
		.duration_seconds = db_get_int(rows, r, 15),
		.cost_ten_thousandths = db_get_int(rows, r, 16),
		.outcome = db_get_text(rows, r, 17),
		.end_reason = db_get_text(rows, r, 18),
		.skip_reason = (enum skip_reason)db_get_int(rows, r, 20),
		.contact_id = db_get_uuid(rows, r, 21),
	};
}

static struct attempt read_attempt(const struct db_rows *rows, size_t r)
{
	return (struct attempt){
		.call_id = db_get_uuid(rows, r, 22),
		.number = db_get_int(rows, r, 23),
		.status = (enum call_status)db_get_int(rows, r, 11),
		.from_number = db_get_text(rows, r, 12),
		.scheduled_at_us = db_get_int(rows, r, 24),
		.called_at_us = db_get_int(rows, r, 13),
		.ended_at_us = db_get_int(rows, r, 14),
		.duration_seconds = db_get_int(rows, r, 15),
		.cost_ten_thousandths = db_get_int(rows, r, 16),
		.outcome = db_get_text(rows, r, 17),
		.end_reason = db_get_text(rows, r, 18),
	};
}

enum db_result batch_contact_get(struct db *db, const struct batch *batch, int64_t position,
                                 struct arena *arena, struct batch_contact *out)
{
	struct attempt *history;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CONTACT_GET, DB_ARGS(db_int(batch->id), db_int(position)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*out = read_contact(&rows, rows.count - 1, batch);
	if (out->call_status < 0) /* a row without a call */
		return DB_OK;
	history = arena_alloc(arena, rows.count * sizeof *history);
	for (size_t r = 0; r < rows.count; r++)
		history[r] = read_attempt(&rows, r);
	out->history = history;
	out->history_count = rows.count;
	return DB_OK;
}

/* Everybody who waits in a campaign whose plan is written is planned, and nobody in a draft. */
static bool plan_is_written(const struct batch *batch)
{
	return batch->status != BATCH_DRAFT && batch->work == BATCH_WORK_DISPATCH &&
	       batch->plan_position == batch->counts.total;
}

static enum db_result count_planned(struct db *db, const struct batch *batch, struct arena *arena,
                                    struct listing *out)
{
	if (batch->status == BATCH_DRAFT)
		out->total = 0;
	else if (plan_is_written(batch))
		out->total = batch->counts.pending;
	return page_count(db, SQL_CONTACT_COUNT_PLANNED, DB_ARGS(db_int(batch->id)), arena, out);
}

/* The campaign's counters know; only while a plan is being written the planned ones are counted. */
static enum db_result count_contacts(struct db *db, const struct batch *batch, int status, struct arena *arena,
                                     struct listing *out)
{
	const struct batch_counts *counts = &batch->counts;
	const int64_t totals[CONTACT_STATUS__MAX] = {
		[CONTACT_IN_PROGRESS] = counts->in_progress, [CONTACT_COMPLETED] = counts->completed,
		[CONTACT_FAILED] = counts->failed, [CONTACT_VOICEMAIL] = counts->voicemail,
		[CONTACT_NO_ANSWER] = counts->no_answer, [CONTACT_BUSY] = counts->busy,
		[CONTACT_CANCELLED] = counts->cancelled, [CONTACT_SKIPPED] = counts->skipped,
	};

	if (out->total >= 0)
		return DB_OK;
	if (status != CONTACT_PENDING && status != CONTACT_SCHEDULED) {
		out->total = status < 0 ? counts->total : totals[status];
		return DB_OK;
	}
	DB_TRY(count_planned(db, batch, arena, out));
	if (status == CONTACT_PENDING)
		out->total = counts->pending > out->total ? counts->pending - out->total : 0;
	return DB_OK;
}

static enum db_result query_page(struct db *db, const struct batch *batch, int status, const struct page *page,
                                 struct arena *arena, struct db_rows *rows)
{
	struct db_value id = db_int(batch->id), behind = page_above(page), limit = page_rows(page),
	                offset = page_offset(page), stored = db_int(status), or_stored = stored;
	bool over = batch_is_over(batch->status);

	if (status < 0) /* positions are dense */
		return db_query(db, SQL_CONTACT_PAGE, DB_ARGS(id, db_int(behind.i + offset.i), limit), arena, rows);
	if (over && (status == CONTACT_PENDING || status == CONTACT_SCHEDULED))
		return DB_OK;
	if (status == CONTACT_SCHEDULED)
		return db_query(db, SQL_CONTACT_PAGE_PLANNED, DB_ARGS(id, behind, limit, offset), arena, rows);
	if (status == CONTACT_PENDING && batch->status != BATCH_DRAFT)
		return plan_is_written(batch) ? DB_OK : db_query(db, SQL_CONTACT_PAGE_UNPLANNED, DB_ARGS(
			id, behind, limit, offset), arena, rows);
	if (over && status == CONTACT_CANCELLED)
		or_stored = db_int(CONTACT_PENDING);
	return db_query(db, SQL_CONTACT_PAGE_OF_STATUS, DB_ARGS(id, behind, stored, or_stored, limit, offset), arena, rows);
}

enum db_result batch_contacts_list(struct db *db, const struct batch *batch, int status, const struct page *page,
                                   struct arena *arena, struct listing *out)
{
	struct db_rows rows = { 0 };
	struct batch_contact *items;

	DB_TRY(query_page(db, batch, status, page, arena, &rows));
	items = arena_alloc(arena, rows.count * sizeof *items);
	for (size_t r = 0; r < rows.count; r++)
		items[r] = read_contact(&rows, r, batch);
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last.id = items[out->count - 1].position;
	return count_contacts(db, batch, status, arena, out);
}
