#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arguments.h"
#include "base/instant.h"
#include "base/log.h"
#include "cli/cli.h"
#include "store/operation.h"

static struct db *connect_database(const struct conf *conf)
{
	struct db *db = db_new(conf->database_file);

	if (db_ready(db) != DB_OK)
		fatal("cannot connect to the database: %s", db_last_error(db));
	return db;
}

static void check(enum db_result result, struct db *db)
{
	if (result != DB_OK)
		fatal("the database did not do it: %s", db_last_error(db));
	db_free(db);
}

void cli_recover(const struct conf *conf, int argc, char **argv)
{
	const char *before = NULL;
	const struct argument options[] = { { "before", &before } };
	struct when when;
	struct db *db;
	int64_t ended = 0;

	arguments_read(argc, argv, options, 1, 0);
	if (before == NULL || !when_parse(before, &when))
		fatal("--before must be a date and time such as 2027-01-01T00:00:00Z: when the backup was made");
	db = connect_database(conf);
	check(operation_recover(db, when.us, &ended), db);
	printf("%" PRId64 " calls ended with the reason `recovered`\n", ended);
}

/* So that nobody pauses all campaigns who meant one. */
static void require_all(int argc, char **argv)
{
	if (argc != 1 || strcmp(argv[0], "--all") != 0)
		fatal("only --all is known here: one campaign is paused and resumed by the API");
}

void cli_pause(const struct conf *conf, int argc, char **argv)
{
	struct db *db;
	int64_t changed = 0;

	require_all(argc - 1, argv + 1);
	db = connect_database(conf);
	check(operation_pause_all(db, &changed), db);
	printf("%" PRId64 " campaigns paused; calls under way go on\n", changed);
}

void cli_resume(const struct conf *conf, int argc, char **argv)
{
	struct db *db;
	int64_t changed = 0;

	require_all(argc - 1, argv + 1);
	db = connect_database(conf);
	check(operation_resume_all(db, &changed), db);
	printf("%" PRId64 " campaigns resumed\n", changed);
}
