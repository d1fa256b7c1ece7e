#include "store/ledger_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "store/columns.h"
#include "store/statements.h"

COLUMNS(ledger_decision_columns, struct ledger_decided, INSTANT(struct ledger_decided, decided_at),
        COLUMN(struct ledger_decided, seq), COLUMN(struct ledger_decided, place),
        COLUMN(struct ledger_decided, phone_number), INSTANT(struct ledger_decided, sealed_at),
        COLUMN(struct ledger_decided, hash), COLUMN(struct ledger_decided, what));

static bool is_on = true;

void ledger_switch(bool on)
{
	is_on = on;
}

struct ledger ledger_new(struct arena *arena)
{
	return (struct ledger){ .arena = arena, .what.arena = arena };
}

struct json ledger_begin(struct ledger *ledger, enum ledger_decision decision, int64_t at_us)
{
	struct json json;

	buf_reset(&ledger->what);
	json = json_to(&ledger->what);
	json_begin_object(&json, NULL);
	json_instant(&json, "at", at_us);
	json_add_string(&json, "decision", ledger_decision_names[decision]);
	return json;
}

static struct ledger_part *add_part(struct ledger *ledger, int64_t organization_id)
{
	if (ledger->count == ledger->room) {
		size_t room = ledger->room == 0 ? 4 : 2 * ledger->room;
		struct ledger_part *parts = arena_alloc(ledger->arena, room * sizeof *parts);

		if (ledger->count != 0)
			memcpy(parts, ledger->parts, ledger->count * sizeof *parts);
		ledger->parts = parts;
		ledger->room = room;
	}
	ledger->parts[ledger->count] = (struct ledger_part){ organization_id, { .arena = ledger->arena } };
	return &ledger->parts[ledger->count++];
}

/* Decisions of an organisation mostly follow each other. */
static struct ledger_part *find_part(struct ledger *ledger, int64_t organization_id)
{
	for (size_t i = ledger->count; i > 0; i--)
		if (ledger->parts[i - 1].organization_id == organization_id)
			return &ledger->parts[i - 1];
	return add_part(ledger, organization_id);
}

void ledger_end(struct ledger *ledger, struct json *json, int64_t organization_id, const char *phone_number)
{
	json_end(json);
	if (is_on)
		ledger_line_write(&find_part(ledger, organization_id)->lines, ledger->what.data, ledger->what.len,
		                  phone_number);
}

enum db_result ledger_write(struct db *db, const struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_part *part = &ledger->parts[i];

		DB_TRY(db_exec(db, SQL_LEDGER_WRITE,
		               DB_ARGS(db_int(part->organization_id), db_bytes(part->lines.data, part->lines.len))));
	}
	return DB_OK;
}

/* A cursor, "place at": the position of the last decision of a page, with its block in `id` and its instant in
 * `number`. */
static void set_last(struct listing *out, struct arena *arena)
{
	const struct ledger_decided *last = out->items;

	if (out->count == 0)
		return;
	last += out->count - 1;
	out->last = (struct page_key){
		.id = last->seq,
		.number = last->decided_at_us,
		.text = arena_printf(arena, "%" PRId64, last->place),
	};
}

enum db_result ledger_list(struct db *db, int64_t organization_id, const struct ledger_filter *filter,
                           const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), number = db_text(filter->phone_number);
	const struct page_key *after = page->after;
	bool goes_on = after != NULL && after->number >= filter->from_us;
	struct db_value from = db_instant(goes_on ? after->number : filter->from_us), to = db_instant(filter->to_us);
	struct db_value at = db_instant(goes_on ? after->number : INSTANT_NONE), seq = db_int(goes_on ? after->id : 0);
	int64_t place = 0;

	if (goes_on && sscanf(after->text, "%" SCNd64, &place) != 1)
		place = 0;
	DB_TRY(page_query(db, SQL_LEDGER_LIST,
	                  DB_ARGS(organization, number, from, to, at, seq, seq, db_int(place), page_rows(page),
	                          page_offset(page)),
	                  page, arena, out));
	set_last(out, arena);
	return page_count(db, SQL_LEDGER_COUNT, DB_ARGS(organization, number, db_instant(filter->from_us), to), arena, out);
}
