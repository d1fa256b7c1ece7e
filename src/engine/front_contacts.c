#include "engine/front_contacts.h"

#include "engine/due_contacts.h"
#include "store/columns.h"
#include "store/statements.h"

#define MAX_SEGMENTS 64

struct front_contact {
	int64_t position;
	const char *timezone, *phone_number;
};

struct front_cursor {
	int64_t from;  /* the position of the next contact; 0: there is none */
	int64_t count; /* of the contacts before it */
};

COLUMNS(front_contact_columns, struct front_contact, COLUMN(struct front_contact, position),
        COLUMN(struct front_contact, timezone), COLUMN(struct front_contact, phone_number));

enum db_result front_contacts_mark(struct db *db, struct batch *batch, int64_t after)
{
	if (batch->front_from == 0)
		batch->front_from = after + 1;
	DB_TRY(db_exec(db, SQL_FRONT_MARK, DB_ARGS(db_int(batch->id), db_int(after))));
	return db_exec(db, SQL_FRONT_SAVE, DB_ARGS(db_int(batch->front_from), db_int(batch->id)));
}

static void put(struct buf *rows, struct batch *batch, int64_t position, int64_t at_us)
{
	struct due_contact due = { .batch_id = batch->id, .due_at_us = at_us, .position = position, .attempt = 1 };

	buf_add(rows, &due, sizeof due);
	if (batch->planned_from_us == INSTANT_NONE || at_us < batch->planned_from_us)
		batch->planned_from_us = at_us;
	if (at_us > batch->planned_until_us)
		batch->planned_until_us = at_us;
}

/* Plans them by the plan of the campaign, as its first contacts. */
static void plan_first(struct batch *batch, const struct front_contact *contacts, size_t count, struct buf *rows)
{
	struct plan_rules rules = batch_plan_rules(&batch->config);
	struct plan_segment segments[MAX_SEGMENTS];
	size_t done = 0;
	int made, planned;

	do {
		made = plan_segments(&rules, &batch->plan, (int)(count - done), segments, MAX_SEGMENTS, &planned);
		for (int s = 0; s < made; s++)
			for (int i = 0; i < segments[s].count; i++)
				put(rows, batch, contacts[done++].position, segments[s].first_us + i * segments[s].gap_us);
	} while (made != 0 && done < count);
}

/* Plans each contact in its own zone as soon as its window is open, between the planned instants of the others. So
 * a contact that may only be called later does not delay the others. */
static void plan_in_zones(struct batch *batch, const struct front_contact *contacts, size_t count, int64_t before,
                          struct buf *rows)
{
	for (size_t i = 0; i < count; i++) {
		struct calendar calendar = batch_calendar(&batch->config,
		                                          contact_zones(contacts[i].timezone, contacts[i].phone_number));
		int64_t from_us = batch->plan.next_us;
		struct span span;

		if (calendar_find_span_with_rest(&calendar, from_us, CALL_REST_US, &span) != CALENDAR_SPAN)
			continue;
		put(rows, batch, contacts[i].position,
		    plan_between_ms(from_us > span.from_us ? from_us : span.from_us, before + (int64_t)i));
	}
}

static enum db_result plan_chunk(struct db *db, struct batch *batch, struct arena *arena, struct front_cursor *cursor)
{
	const struct front_contact *contacts;
	struct buf rows = { 0 };
	struct db_rows found;
	enum db_result result;

	DB_TRY(db_query(db, SQL_FRONT_UNPLANNED, DB_ARGS(db_int(batch->id), db_int(cursor->from)), arena, &found));
	contacts = DB_STRUCTS(&found, struct front_contact);
	if (batch->config.respect_contact_timezone)
		plan_in_zones(batch, contacts, found.count, cursor->count, &rows);
	else
		plan_first(batch, contacts, found.count, &rows);
	cursor->from = found.count < PLAN_ROWS ? 0 : contacts[found.count - 1].position + 1;
	cursor->count += (int64_t)found.count;
	result = due_contacts_write(db, SQL_FRONT_DUE, &rows);
	buf_free(&rows);
	return result;
}

enum db_result front_contacts_plan(struct db *db, struct batch *batch, struct arena *arena)
{
	struct front_cursor cursor = { .from = batch->front_from };

	while (cursor.from != 0)
		DB_TRY(plan_chunk(db, batch, arena, &cursor));
	return DB_OK;
}
