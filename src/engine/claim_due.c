#include "engine/claim_due.h"

#include <assert.h>

#include "base/instant.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

/* The latest attempt of a contact: its call waits for another request, or its number must not be called any more. */
struct last_call {
	int64_t nth;
	int status;
	int64_t called_at_us;
	const char *from_number;
};

COLUMNS(waiting_contact_columns, struct waiting_contact, COLUMN(struct waiting_contact, batch_id),
        INSTANT(struct waiting_contact, due_at), COLUMN(struct waiting_contact, position),
        COLUMN(struct waiting_contact, attempt), COLUMN(struct waiting_contact, attempts),
        COLUMN(struct waiting_contact, phone_number), COLUMN(struct waiting_contact, timezone),
        COLUMN(struct waiting_contact, do_not_call), COLUMN(struct waiting_contact, waits),
        COLUMN(struct waiting_contact, call_id));

COLUMNS(last_call_columns, struct last_call, COLUMN(struct last_call, nth), COLUMN(struct last_call, status),
        INSTANT(struct last_call, called_at), COLUMN(struct last_call, from_number));

static bool needs_last_call(const struct waiting_contact *contact)
{
	return contact->waits || (contact->do_not_call && contact->attempts > 0);
}

static enum db_result read_last_calls(struct db *db, struct arena *arena, struct waiting_contact *contacts,
                                      size_t count)
{
	struct rows ids = rows_new(arena);
	const struct last_call *calls;
	struct db_rows rows;

	for (size_t i = 0; i < count; i++) {
		contacts[i].had_number = "";
		if (!needs_last_call(&contacts[i]))
			continue;
		rows_next(&ids);
		rows_int(&ids, "nth", (int64_t)i);
		rows_id(&ids, "id", &contacts[i].call_id);
	}
	DB_TRY(db_query(db, SQL_CLAIM_LAST_CALLS, DB_ARGS(rows_value(&ids)), arena, &rows));
	calls = DB_STRUCTS(&rows, struct last_call);
	for (size_t r = 0; r < rows.count; r++) {
		struct waiting_contact *contact = &contacts[calls[r].nth];

		contact->last_status = (enum call_status)calls[r].status;
		contact->asked_at_us = calls[r].called_at_us;
		contact->had_number = calls[r].from_number;
	}
	return DB_OK;
}

static enum db_result query(struct db *db, enum sql_statement statement, const struct db_value *args, size_t arg_count,
                            struct arena *arena, struct claim_due *due)
{
	struct waiting_contact *contacts;
	struct db_rows rows;

	DB_TRY(db_query(db, statement, args, arg_count, arena, &rows));
	contacts = DB_STRUCTS(&rows, struct waiting_contact);
	due->contacts = contacts;
	due->count = rows.count;
	due->is_cut = (int64_t)rows.count >= args[arg_count - 1].i;
	return read_last_calls(db, arena, contacts, rows.count);
}

enum db_result claim_due_read(struct db *db, const struct claim_campaign *campaign, int64_t until_us, int64_t limit,
                              struct arena *arena, struct claim_due *due)
{
	*due = (struct claim_due){ .until_us = until_us };
	return query(db, SQL_CLAIM_DUE,
	             DB_ARGS(db_int(campaign->id), db_instant(campaign->low_water_us), db_instant(until_us), db_int(limit)),
	             arena, due);
}

/* The statement has a fixed number of ranges: ranges that are not needed are copies. */
enum db_result claim_due_read_all(struct db *db, const struct claim_campaign *const *campaigns, size_t count,
                                  int64_t until_us, int64_t limit, struct arena *arena, struct claim_due *due)
{
	struct db_value args[3 * CLAIM_CAMPAIGNS + 1];

	assert(count > 0 && count <= CLAIM_CAMPAIGNS);
	for (size_t i = 0; i < CLAIM_CAMPAIGNS; i++) {
		const struct claim_campaign *campaign = campaigns[i < count ? i : 0];

		args[3 * i] = db_int(campaign->id);
		args[3 * i + 1] = db_instant(campaign->low_water_us);
		args[3 * i + 2] = db_instant(until_us);
	}
	args[3 * CLAIM_CAMPAIGNS] = db_int(limit);
	*due = (struct claim_due){ .until_us = until_us };
	return query(db, SQL_CLAIM_DUE_OF_ALL, args, sizeof args / sizeof *args, arena, due);
}

enum db_result claim_due_find_next(struct db *db, const struct claim_campaign *campaign, int64_t after_us,
                                   int64_t *next_due_us)
{
	enum db_result result = db_query_int(db, SQL_CLAIM_NEXT_DUE, DB_ARGS(db_int(campaign->id), db_instant(after_us)),
	                                     next_due_us);

	if (result != DB_NOT_FOUND)
		return result;
	*next_due_us = INSTANT_NEVER;
	return DB_OK;
}
