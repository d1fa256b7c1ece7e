#include <stdio.h>
#include <unistd.h>

#include "base/arguments.h"
#include "base/log.h"
#include "cli/cli.h"
#include "store/migrate.h"
#include "store/secret_store.h"

/* Then a program with another key notices, on whichever host it starts. */
static void note_key(const struct conf *conf)
{
	struct db *db;

	if (access(conf->secret_key_file, R_OK) != 0) {
		printf("%s cannot be read: the first program that starts says which key it is\n", conf->secret_key_file);
		return;
	}
	db = db_new(conf->database_file);
	if (secrets_note_key(db, conf->secret_key_file) != DB_OK)
		fatal("the database did not store the id of the key: %s", db_last_error(db));
	db_free(db);
}

void cli_migrate(const struct conf *conf, int argc, char **argv)
{
	const char *folder = SQLDIR;
	const struct argument options[] = { { "sql", &folder } };

	arguments_read(argc, argv, options, 1, 0);
	migrate(conf->database_file, folder, stdout);
	note_key(conf);
}
