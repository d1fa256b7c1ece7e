#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/organization.h"
#include "engine/ledger_chain.h"
#include "engine/organization_copy.h"
#include "engine/organization_move.h"
#include "engine/organization_removal.h"
#include "store/organization_store.h"
#include "store/process_store.h"
#include "store/secret_store.h"

#define SEALING_US (60 * US_PER_SECOND)
#define SLACK_US (US_PER_SECOND / 5)

static const char again[] = "repeat the command to go on, or give the move up with --undo yes";

struct move {
	const struct conf *conf, *to_conf;
	struct db *from, *to;
	struct arena *arena;
	struct organization_place_of here, there; /* there.id 0: it has none */
};

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void show_copied(const char *table, int64_t rows, bool done)
{
	printf("  %s: %" PRId64 " rows%s\n", table, rows, done ? "" : " so far");
	fflush(stdout);
}

/* Checks before anything is changed */

static void require_names(const struct conf *conf, const struct conf *to_conf, const char *to_file)
{
	if (*to_conf->cell == '\0')
		fatal("%s does not set `cell`, the name of the other cell", to_file);
	if (*conf->cell == '\0')
		fatal("this configuration does not set `cell`, the name of this cell");
	if (strcmp(conf->cell, to_conf->cell) == 0)
		fatal("both cells are called `%s`", conf->cell);
}

static void require_keys(const struct move *move)
{
	bool can;

	if (secrets_require(move->to_conf) != DB_OK)
		fatal("cannot read which keys seal the secrets of the other cell");
	cli_check(secrets_take_over(move->from, &can), move->from);
	if (!can)
		fatal("%s lacks a key of %s: add it as a further line, so that secrets and tokens stay valid",
		      move->to_conf->secret_key_file, move->conf->secret_key_file);
}

static void find_here(struct move *move, const char *name)
{
	static const struct uuid none;
	struct organization_place_of *here = &move->here;
	enum db_result result = organization_at(move->from, &none, name, move->arena, here);

	if (result == DB_NOT_FOUND)
		fatal("there is no organisation `%s`", name);
	cli_check(result, move->from);
	if (here->place == ORGANIZATION_ELSEWHERE)
		fatal("`%s` was moved to the cell `%s`: move it from there", name, here->cell);
	if (here->place != ORGANIZATION_HERE && here->place != ORGANIZATION_LEAVING)
		fatal("`%s` is a copy from the cell `%s`: repeat or undo its move there", name, here->cell);
	if (here->place == ORGANIZATION_LEAVING && strcmp(here->cell, move->to_conf->cell) != 0)
		fatal("`%s` is being moved to the cell `%s`, and not to `%s`", name, here->cell, move->to_conf->cell);
}

static void find_there(struct move *move)
{
	const struct organization_place_of *here = &move->here;
	struct organization_place_of *there = &move->there;
	const char *cell = move->to_conf->cell;
	enum db_result result = organization_at(move->to, &here->uuid, here->name, move->arena, there);

	if (result == DB_NOT_FOUND) {
		there->id = 0;
		return;
	}
	cli_check(result, move->to);
	if (!uuid_equal(&here->uuid, &there->uuid))
		fatal("the cell `%s` has another organisation that is called `%s`", cell, here->name);
	if (there->place == ORGANIZATION_LEAVING && here->place == ORGANIZATION_HERE)
		fatal("the cell `%s` has `%s` too, and moves it to `%s`", cell, here->name, there->cell);
	if (there->place == ORGANIZATION_HERE && here->place == ORGANIZATION_HERE)
		fatal("`%s` is at work in both cells: is --to the configuration of another installation?", here->name);
}

/* Returns whether it may be copied now. */
static bool is_at_rest(const struct move *move)
{
	const char **list;
	size_t count;

	cli_check(organization_unrest(move->from, move->here.id, move->arena, &list, &count), move->from);
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "  %s\n", cli_printable(move->arena, list[i]));
	return count == 0;
}

static struct organization_handing handing_of(const struct move *move, int64_t new_id)
{
	return (struct organization_handing){
		.from = move->from,
		.to = move->to,
		.id = move->here.id,
		.new_id = new_id,
		.uuid = move->here.uuid,
		.from_cell = move->conf->cell,
		.to_cell = move->to_conf->cell,
	};
}

/* Deletes the rows that an interrupted move or an earlier stay of the organisation left in the other cell. The
 * organisation's own row and its keys remain until the copy replaces them, so that keys that were made there are known
 * all the time. */
static void clear_there(const struct move *move)
{
	bool is_fresh = move->here.place == ORGANIZATION_HERE;

	if (move->there.id == 0)
		return;
	say("deleting what the other cell has of it");
	if (organization_give_up(move->to, move->there.id, move->conf->cell, is_fresh) != DB_OK)
		fatal("the copy in the other cell has changed meanwhile: does another move run?");
	cli_check(organization_remove_rows(move->to, move->there.id, organization_show_deleted), move->to);
}

static void take_back(const struct move *move)
{
	struct organization_handing handing = handing_of(move, 0);
	enum db_result result = organization_take_back(&handing);

	if (result == DB_REFUSED)
		fatal("the other cell has `%s` already: repeat the command without --undo, to finish", move->here.name);
	cli_check(result, move->from);
}

/* The other cell keeps the name and the keys, so that its workers can say where the organisation is. */
static void leave_address(const struct move *move)
{
	if (move->there.id != 0 && organization_leave_address(move->to, move->there.id, move->conf->cell) != DB_OK)
		fatal("the copy in the other cell has changed meanwhile: does another move run?");
}

static void seal_ledger(const struct move *move)
{
	int64_t began_us = clock_mono_us(), left, now_us;
	bool more;
	int found;

	for (;;) {
		cli_check(organization_unsealed(move->from, move->here.id, &left), move->from);
		if (left == 0)
			return;
		if (clock_mono_us() - began_us > SEALING_US)
			fatal("%" PRId64 " decisions are not sealed in the ledger yet; %s", left, again);
		cli_check(db_ask_clock(move->from, &now_us), move->from);
		cli_check(ledger_seal_step(move->from, now_us, &found, &more), move->from);
		nanosleep(&(struct timespec){ .tv_nsec = 50 * US_PER_MS * 1000 }, NULL);
	}
}

static void close_here(const struct move *move)
{
	if (move->here.place == ORGANIZATION_HERE) {
		say("waiting for requests that change something");
		if (organization_close(move->from, move->here.id, move->to_conf->cell) != DB_OK)
			fatal("`%s` cannot be closed: %s", move->here.name, db_last_error(move->from));
	}
	if (!is_at_rest(move)) {
		take_back(move);
		leave_address(move);
		fatal("`%s` is not at rest any more (see above), and stays here", move->here.name);
	}
	seal_ledger(move);
}

static int64_t copy_there(const struct move *move)
{
	int64_t began_us = clock_mono_us();
	struct organization_copy copy = {
		.from = move->from,
		.to = move->to,
		.id = move->here.id,
		.from_cell = move->conf->cell,
		.replaced = move->there.id,
		.show_progress = show_copied,
	};
	enum db_result result;

	say("copying");
	result = organization_copy(&copy);
	if (result == DB_REFUSED)
		fatal("the copy was given up by another command");
	if (copy.fault != NULL)
		fatal("%s; %s", copy.fault, again);
	if (result != DB_OK)
		fatal("a database failed: %s%s; %s", db_last_error(move->from), db_last_error(move->to), again);
	printf("%" PRId64 " rows in %.1f s\n", copy.rows, (double)(clock_mono_us() - began_us) / (double)US_PER_SECOND);
	fflush(stdout);
	return copy.new_id;
}

static void hand_over(const struct move *move, int64_t new_id)
{
	struct organization_handing handing = handing_of(move, new_id);
	enum db_result result = organization_hand_over(&handing);

	if (result == DB_REFUSED)
		fatal("the move was undone, or another move has begun: this command moved nothing");
	if (result != DB_OK)
		fatal("it is not known whether the move succeeded (%s): repeat the command", db_last_error(move->from));
	printf("`%s` is in the cell `%s` now\n", cli_printable(move->arena, move->here.name), move->to_conf->cell);
}

static void wait_until(int64_t mono_us)
{
	int64_t left_us = mono_us - clock_mono_us();

	if (left_us > 0)
		nanosleep(&(struct timespec){ .tv_sec = left_us / US_PER_SECOND, .tv_nsec = left_us % US_PER_SECOND * 1000 },
		          NULL);
}

/* Waits until no worker of the old cell remembers a key of the organisation. After that a replica of the new cell
 * either has the copy, or it is not read from. */
static void wait_for_readers(const struct move *move, int64_t closed_us)
{
	int64_t open_us = closed_us + ORGANIZATION_REMEMBERED_US;

	if (*move->to_conf->read_database_file != '\0') {
		say("waiting for the replica of the other cell");
		open_us = clock_mono_us() + REPLICA_LAG_MAX_US;
	}
	wait_until(open_us + SLACK_US);
}

static int64_t make_copy(const struct move *move)
{
	int64_t closed_us, new_id;

	clear_there(move);
	close_here(move);
	closed_us = clock_mono_us();
	new_id = copy_there(move);
	wait_for_readers(move, closed_us);
	return new_id;
}

static bool is_open_there(const struct move *move)
{
	return move->here.place == ORGANIZATION_LEAVING && organization_was_opened(&move->there, move->conf->cell);
}

static void undo(const struct move *move)
{
	bool is_leaving = move->here.place == ORGANIZATION_LEAVING;
	bool has_copy = move->there.id != 0 && !organization_was_opened(&move->there, move->conf->cell) &&
	                (is_leaving || move->there.place != ORGANIZATION_ELSEWHERE);

	if (is_leaving)
		take_back(move);
	else if (!has_copy)
		fatal("`%s` is not being moved", move->here.name);
	printf("`%s` stays here\n", cli_printable(move->arena, move->here.name));
	fflush(stdout);
	if (!has_copy)
		return;
	clear_there(move);
	leave_address(move);
}

static bool is_yes(const char *option, const char *value)
{
	if (value != NULL && strcmp(value, "yes") != 0)
		fatal("%s must be `yes`, not `%s`", option, value);
	return value != NULL;
}

void cli_organization_move(const struct conf *conf, int argc, char **argv)
{
	const char *to_file = NULL, *undo_it = NULL, *dry = NULL;
	const struct argument options[] = { { "to", &to_file }, { "undo", &undo_it }, { "dry-run", &dry } };
	char **words = arguments_read(argc, argv, options, 3, 1);
	struct move move = { .conf = conf, .arena = arena_new() };
	bool undoes = is_yes("--undo", undo_it), is_dry = is_yes("--dry-run", dry);
	static struct conf to_conf;

	if (to_file == NULL)
		fatal("--to is missing: the configuration of the other cell");
	to_conf = conf_load(to_file);
	require_names(conf, &to_conf, to_file);
	move.to_conf = &to_conf;
	db_be_patient(DB_FOR_PEOPLE);
	move.from = organization_connect(conf);
	move.to = organization_connect(&to_conf);
	require_keys(&move);
	find_here(&move, words[0]);
	find_there(&move);
	if (undoes) {
		undo(&move);
	} else if (!is_at_rest(&move)) {
		fatal("`%s` cannot be moved before the above has ended: pause its campaigns, and wait for its calls", words[0]);
	} else if (is_dry) {
		printf("`%s` can be moved to the cell `%s`\n", cli_printable(move.arena, words[0]), to_conf.cell);
	} else {
		hand_over(&move, is_open_there(&move) ? move.there.id : make_copy(&move));
	}
	db_free(move.from);
	db_free(move.to);
	arena_free(move.arena);
}
