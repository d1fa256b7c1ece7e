#include "cli/cli.h"

#include "base/log.h"
#include "base/utf8.h"
#include "store/db.h"

void cli_connect(struct db *db)
{
	if (db_ready(db) != DB_OK)
		fatal("cannot connect to the database: %s", db_last_error(db));
}

void cli_check(enum db_result result, const struct db *db)
{
	if (result != DB_OK)
		fatal("the database failed: %s", db_last_error(db));
}

const char *cli_printable(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	utf8_blank_controls(copy);
	return copy;
}
