#include "store/batch_contact_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/number_set.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

#define ROWS_PER_STATEMENT 1000
#define BYTES_PER_STATEMENT (4 << 20) /* every server accepts 16 MiB */

/* Contacts that are being appended to a campaign. */
struct addition {
	const struct batch *batch;
	const struct contact_input *contacts;
	size_t count, done;
	struct number_set seen; /* the numbers of the contacts that were added */
	int64_t after, skipped;
	struct arena *arena; /* of a chunk */
};

/* Finds which of the next contacts have numbers that are in the campaign already. *count: how many contacts were
 * checked. */
static enum db_result find_existing(struct db *db, const struct addition *addition, bool **exists, size_t *count)
{
	struct rows numbers = rows_new(addition->arena);
	struct db_rows found;

	*count = addition->count - addition->done;
	if (*count > ROWS_PER_STATEMENT)
		*count = ROWS_PER_STATEMENT;
	*exists = arena_alloc(addition->arena, *count * sizeof **exists);
	memset(*exists, 0, *count * sizeof **exists);
	if (addition->after == 0)
		return DB_OK; /* all are in `seen` */
	for (size_t i = 0; i < *count; i++) {
		rows_next(&numbers);
		rows_text(&numbers, "phone", addition->contacts[addition->done + i].phone_number);
	}
	DB_TRY(db_query(db, SQL_CONTACTS_FIND_NUMBERS, DB_ARGS(rows_value(&numbers), db_int(addition->batch->id)),
	                addition->arena, &found));
	for (size_t r = 0; r < found.count; r++)
		(*exists)[db_get_int(&found, r, 0) - 1] = true;
	return DB_OK;
}

/* Returns whether the next contact is skipped, because its number is in the campaign or came before. */
static bool take_number(struct addition *addition, bool exists)
{
	const char *phone = addition->contacts[addition->done++].phone_number;
	bool is_duplicate = !number_set_add(&addition->seen, strtoull(phone + 1, NULL, 10)) || exists;

	addition->skipped += is_duplicate;
	return is_duplicate;
}

static void write_contact(struct rows *rows, const struct contact_input *contact, bool is_duplicate)
{
	rows_next(rows);
	rows_text(rows, "phone", contact->phone_number);
	rows_text(rows, "first_name", contact->first_name);
	rows_text(rows, "last_name", contact->last_name);
	rows_text(rows, "email", contact->email);
	rows_text(rows, "timezone", contact->timezone);
	rows_text(rows, "custom", contact->custom_fields);
	rows_int(rows, "status", is_duplicate ? CONTACT_SKIPPED : CONTACT_PENDING);
	rows_int(rows, "skip_reason", is_duplicate ? SKIP_DUPLICATE : SKIP_NONE);
}

/* Adds the rows of one statement. For a single row the server does not have to unfold anything. */
static enum db_result add_chunk(struct db *db, struct addition *addition)
{
	struct db_value id = db_int(addition->batch->id), after = db_int(addition->after + (int64_t)addition->done);
	const struct contact_input *contact = addition->contacts + addition->done;
	struct rows rows = rows_new(addition->arena);
	size_t count;
	bool *exists;

	DB_TRY(find_existing(db, addition, &exists, &count));
	if (count == 1) {
		bool is_duplicate = take_number(addition, exists[0]);

		return db_exec(db, SQL_CONTACTS_ADD_ONE,
		               DB_ARGS(id, db_int(after.i + 1), db_text(contact->phone_number), db_text(contact->first_name),
		                       db_text(contact->last_name), db_text(contact->email), db_text(contact->timezone),
		                       db_text(contact->custom_fields),
		                       db_int(is_duplicate ? CONTACT_SKIPPED : CONTACT_PENDING),
		                       db_int(is_duplicate ? SKIP_DUPLICATE : SKIP_NONE)));
	}
	for (size_t i = 0; i < count && rows.text.len < BYTES_PER_STATEMENT; i++)
		write_contact(&rows, &contact[i], take_number(addition, exists[i]));
	return db_exec(db, SQL_CONTACTS_ADD, DB_ARGS(id, after, rows_value(&rows)));
}

/* Adds contacts after the counted contacts. *skipped: how many of them are skipped. */
static enum db_result add_all(struct db *db, const struct batch *batch, int64_t after,
                              const struct contact_input *contacts, size_t count, int64_t *skipped)
{
	struct addition addition = {
		.batch = batch, .contacts = contacts, .count = count, .after = after, .arena = arena_new()
	};
	enum db_result result = DB_OK;

	while (result == DB_OK && addition.done < count) {
		result = add_chunk(db, &addition);
		arena_reset(addition.arena);
	}
	number_set_free(&addition.seen);
	arena_free(addition.arena);
	*skipped = addition.skipped;
	return result;
}

static enum db_result save_counts(struct db *db, const struct batch *batch, int64_t added, int64_t skipped)
{
	return db_exec(db, SQL_CONTACTS_ADDED,
	               DB_ARGS(db_int(added), db_int(skipped), db_instant(batch->updated_at_us), db_int(batch->id)));
}

static void count_contacts_in(struct batch *batch, int64_t count, int64_t skipped)
{
	batch->counts.total += count;
	batch->counts.skipped += skipped;
	batch->counts.pending += count - skipped;
}

enum db_result batch_contacts_add(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                  size_t count)
{
	int64_t skipped;

	DB_TRY(add_all(db, batch, batch->counts.total, contacts, count, &skipped));
	count_contacts_in(batch, (int64_t)count, skipped);
	return save_counts(db, batch, (int64_t)count, skipped);
}

enum db_result batch_contacts_add_first(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                        size_t count)
{
	int64_t skipped;

	assert(batch->counts.total == (int64_t)count);
	DB_TRY(add_all(db, batch, 0, contacts, count, &skipped));
	count_contacts_in(batch, 0, skipped);
	return skipped == 0 ? DB_OK : save_counts(db, batch, 0, skipped);
}

/* Counts copies that were inserted after the last known contact. */
static enum db_result count_copied(struct db *db, struct batch *batch, int64_t count)
{
	int64_t skipped;

	DB_TRY(db_query_int(db, SQL_CONTACTS_SKIPPED_AFTER, DB_ARGS(db_int(batch->id), db_int(batch->counts.total)),
	                    &skipped));
	count_contacts_in(batch, count, skipped);
	return save_counts(db, batch, count, skipped);
}

/* Finds where the next contacts of a folder end. *count is their number at this moment: contacts may be added or
 * removed before they are copied. */
static enum db_result find_chunk(struct db *db, const struct batch *batch, const struct contact_part *part,
                                 int64_t limit, int64_t *last, int64_t *count)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_STORED_CHUNK,
	                                 DB_ARGS(db_int(batch->organization_id), db_int(part->folder_row),
	                                         db_int(part->after_id), db_int(part->last_id), db_int(limit)),
	                                 arena, &rows);

	if (result == DB_OK) {
		*last = db_get_int(&rows, 0, 0);
		*count = db_get_int(&rows, 0, 1);
	}
	arena_free(arena);
	return result;
}

static enum db_result copy_of_folder(struct db *db, struct batch *batch, struct contact_part *part, int64_t limit,
                                     bool *all)
{
	int64_t last, count;

	DB_TRY(find_chunk(db, batch, part, limit, &last, &count));
	*all = count < limit;
	if (count == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CONTACTS_COPY_FOLDER,
	               DB_ARGS(db_int(batch->id), db_int(batch->counts.total), db_int(batch->organization_id),
	                       db_int(part->folder_row), db_int(part->after_id), db_int(last))));
	part->after_id = last;
	return count_copied(db, batch, db_affected(db));
}

/* Positions are dense. So a range of them limits how many contacts are read, even if few are copied. */
static enum db_result copy_of_campaign(struct db *db, struct batch *batch, struct contact_part *part, int64_t limit,
                                       bool *all)
{
	int64_t last = part->after_id + limit < part->last_id ? part->after_id + limit : part->last_id;

	DB_TRY(db_exec(db, SQL_CONTACTS_COPY_CAMPAIGN,
	               DB_ARGS(db_int(batch->id), db_int(batch->counts.total), db_int(part->source_row),
	                       db_int(part->after_id), db_int(last), db_int(part->statuses))));
	part->after_id = last;
	*all = last == part->last_id;
	return count_copied(db, batch, db_affected(db));
}

enum db_result batch_contacts_copy_part(struct db *db, struct batch *batch, struct contact_part *part, int64_t limit,
                                        bool *all)
{
	return part->source_row != 0 ? copy_of_campaign(db, batch, part, limit, all)
	                             : copy_of_folder(db, batch, part, limit, all);
}

static enum db_result find_missing(struct db *db, const struct batch *batch, struct rows *ids, struct uuid *missing)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CONTACTS_MISSING_ID, DB_ARGS(rows_value(ids), db_int(batch->organization_id)),
	                ids->text.arena, &rows));
	if (rows.count == 0)
		return DB_CONFLICT; /* deleted and created again at this moment: run again */
	*missing = db_get_uuid(&rows, 0, 0);
	return DB_NOT_FOUND;
}

enum db_result batch_contacts_copy(struct db *db, struct batch *batch, const struct uuid *ids, size_t count,
                                   struct uuid *missing)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_of_uuids(ids, count, arena);
	enum db_result result = db_exec(db, SQL_CONTACTS_COPY_IDS,
	                                DB_ARGS(db_int(batch->id), db_int(batch->counts.total), rows_value(&rows),
	                                        db_int(batch->organization_id)));

	if (result == DB_OK && db_affected(db) < (int64_t)count)
		result = find_missing(db, batch, &rows, missing);
	arena_free(arena);
	return result == DB_OK ? count_copied(db, batch, (int64_t)count) : result;
}

const char *batch_contact_reason(const struct batch_contact *contact)
{
	return contact->skip_reason != SKIP_NONE ? skip_reason_names[contact->skip_reason] : contact->end_reason;
}

void batch_contact_derive_status(const struct batch *batch, struct batch_contact *contact)
{
	if (contact->status != CONTACT_PENDING)
		return;
	if (batch_is_over(batch->status))
		contact->status = CONTACT_CANCELLED;
	else if (contact->is_planned)
		contact->status = CONTACT_SCHEDULED;
}

/* CONTACT_COLUMNS, read into the batch_contact `at` of the struct. */
#define CONTACT_MEMBERS(type, at) \
	COLUMN_AS(type, phone_number, at who.phone_number), COLUMN_AS(type, first_name, at who.first_name), \
		COLUMN_AS(type, last_name, at who.last_name), COLUMN_AS(type, email, at who.email), \
		COLUMN_AS(type, timezone, at who.timezone), COLUMN_AS(type, custom_fields, at who.custom_fields), \
		COLUMN_AS(type, position, at position), COLUMN_AS(type, status, at status), \
		COLUMN_AS(type, is_planned, at is_planned), COLUMN_AS(type, skip_reason, at skip_reason), \
		COLUMN_AS(type, contact_id, at contact_id), COLUMN_AS(type, attempts, at attempts), \
		INSTANT_AS(type, scheduled_at, at scheduled_at_us), COLUMN_AS(type, call_id, at call_id), \
		COLUMN_AS(type, call_status, at call_status), COLUMN_AS(type, from_number, at from_number), \
		INSTANT_AS(type, called_at, at called_at_us), INSTANT_AS(type, ended_at, at ended_at_us), \
		COLUMN_AS(type, duration_seconds, at duration_seconds), COLUMN_AS(type, cost, at cost_ten_thousandths), \
		COLUMN_AS(type, outcome, at outcome), COLUMN_AS(type, end_reason, at end_reason), \
		INSTANT_AS(type, retry_at, at retry_at_us), INSTANT_AS(type, call_back_at, at call_back_at_us)
COLUMNS(batch_contact_columns, struct batch_contact, CONTACT_MEMBERS(struct batch_contact, ));

/* A contact, with one of its attempts as its call. */
struct contact_and_attempt {
	struct batch_contact contact;
	struct uuid id;
	int64_t attempt, planned_at_us;
};
COLUMNS(contact_and_attempt_columns, struct contact_and_attempt, CONTACT_MEMBERS(struct contact_and_attempt, contact.),
        COLUMN_AS(struct contact_and_attempt, attempt_id, id), COLUMN(struct contact_and_attempt, attempt),
        INSTANT(struct contact_and_attempt, planned_at));

static bool asks_for_another(const struct batch_contact *call)
{
	return call->call_back_at_us != INSTANT_NONE && call->retry_at_us == call->call_back_at_us;
}

bool batch_contact_waits_for_callback(const struct batch_contact *contact)
{
	return (contact->status == CONTACT_PENDING || contact->status == CONTACT_SCHEDULED) && asks_for_another(contact);
}

static struct attempt attempt_of(const struct contact_and_attempt *row)
{
	const struct batch_contact *call = &row->contact;

	return (struct attempt){
		.call_id = row->id,
		.number = row->attempt,
		.scheduled_at_us = row->planned_at_us,
		.status = (enum call_status)call->call_status,
		.from_number = call->from_number,
		.called_at_us = call->called_at_us,
		.ended_at_us = call->ended_at_us,
		.duration_seconds = call->duration_seconds,
		.cost_ten_thousandths = call->cost_ten_thousandths,
		.outcome = call->outcome,
		.end_reason = call->end_reason,
	};
}

enum db_result batch_contact_get(struct db *db, const struct batch *batch, int64_t position, struct arena *arena,
                                 struct batch_contact *out)
{
	const struct contact_and_attempt *attempts;
	struct attempt *history;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CONTACT_GET, DB_ARGS(db_int(batch->id), db_int(position)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	attempts = DB_STRUCTS(&rows, struct contact_and_attempt);
	*out = attempts[rows.count - 1].contact;
	batch_contact_derive_status(batch, out);
	if (out->call_status < 0) /* a row without a call */
		return DB_OK;
	history = arena_alloc(arena, rows.count * sizeof *history);
	for (size_t r = 0; r < rows.count; r++) {
		history[r] = attempt_of(&attempts[r]);
		history[r].is_callback = r != 0 && asks_for_another(&attempts[r - 1].contact);
		if (r != 0 && attempts[r - 1].contact.retry_at_us > history[r].scheduled_at_us)
			history[r].scheduled_at_us = attempts[r - 1].contact.retry_at_us; /* it was moved to the first place */
	}
	out->history = history;
	out->history_count = rows.count;
	return DB_OK;
}
