#include "engine/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "cli/cli.h"
#include "domain/gate.h"
#include "store/batch_store.h"
#include "store/process_store.h"

static void print_gate(enum gate gate, const struct gate_facts *facts, const struct gate_details *details)
{
	bool open = gate_room(gate, facts) > 0;
	struct buf text = { 0 };
	struct json json = json_to(&text);

	gate_write_facts(&json, NULL, gate, facts, details);
	printf("%-7s %-16s %s", open ? "open" : "closed", gate_name(gate), text.data);
	if (!open && gate_opens_at(gate, facts) != INSTANT_NEVER) {
		char until[32];

		instant_format_iso(gate_opens_at(gate, facts), until);
		printf(", until %s", until);
	}
	putchar('\n');
	buf_free(&text);
}

static void check(enum db_result result, struct db *db, const char *what)
{
	if (result == DB_NOT_FOUND)
		fatal("there is no such %s", what);
	if (result != DB_OK)
		fatal("cannot read the %s: %s", what, db_last_error(db));
}

/* Without a scheduler no call is made, whatever the rules say. */
static void print_missing_schedulers(struct db *db)
{
	struct work_state state;
	char seen[32];

	if (work_state_read(db, &state) != DB_OK)
		fatal("cannot read which schedulers are alive: %s", db_last_error(db));
	if (state.schedulers > 0)
		return;
	instant_format_iso(state.scheduler_seen_us, seen);
	printf("There is no scheduler, so no calls are made. ");
	if (state.scheduler_seen_us == INSTANT_NONE)
		puts("None was seen within a day.");
	else
		printf("The last one was seen at %s.\n", seen);
}

void cli_explain(const struct conf *conf, int argc, char **argv)
{
	char **words = arguments_read(argc, argv, NULL, 0, 2), *end;
	struct db *db = db_new(conf->database_file);
	int64_t position = strtoll(words[1], &end, 10);
	struct arena *arena = arena_new();
	struct explanation explanation;
	struct batch batch;
	struct uuid id;

	if (!uuid_parse_id(words[0], ID_BATCH, &id))
		fatal("`%s` is not the id of a campaign", words[0]);
	if (*end != '\0' || end == words[1])
		fatal("`%s` is not a position: contacts are counted from 1", words[1]);
	cli_connect(db);
	check(batch_find(db, &id, arena, &batch), db, "campaign");
	check(explain_contact(db, &batch, position, clock_now_us(), arena, &explanation), db, "contact");
	printf("%s is %s\n", explanation.contact.who.phone_number, contact_status_names[explanation.contact.status]);
	for (enum gate gate = 0; explanation.waits && gate < GATE__MAX; gate++)
		print_gate(gate, &explanation.facts, &explanation.details);
	puts(explanation.reason);
	print_missing_schedulers(db);
	arena_free(arena);
	db_free(db);
}
