#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/vault.h"
#include "base/arguments.h"
#include "cli/cli.h"
#include "store/secret_store.h"

static void tell_lost(const struct uuid *endpoint)
{
	char id[UUID_TEXT];

	uuid_format(endpoint, id);
	printf("lost: the secret of webhook %s\n", id);
}

void cli_secrets_rekey(const struct conf *conf, int argc, char **argv)
{
	const char *lost = "keep";
	const struct argument options[] = { { "lost", &lost } };
	struct rekey rekey = { .tell_lost = tell_lost };
	struct db *db;

	arguments_read(argc, argv, options, 1, 0);
	rekey.replace_lost = strcmp(lost, "replace") == 0;
	if (!rekey.replace_lost && strcmp(lost, "keep") != 0)
		fatal("--lost must be keep or replace, not `%s`", lost);
	vault_load(conf->secret_key_file);
	db = db_new(conf->database_file);
	if (db_ready(db) != DB_OK || secrets_rekey(db, &rekey) != DB_OK)
		fatal("the database did not do it: %s", db_last_error(db));
	db_free(db);
	printf("%" PRId64 " sealed anew, %" PRId64 " left as they were\n", rekey.sealed, rekey.untouched);
	fflush(stdout); /* before the reason why it may end here */
	if (rekey.lost > 0 && !rekey.replace_lost)
		fatal("%" PRId64 " secrets cannot be opened with the keys of %s: see --help, --lost", rekey.lost,
		      conf->secret_key_file);
}
