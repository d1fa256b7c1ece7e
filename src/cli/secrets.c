#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/vault.h"
#include "base/arguments.h"
#include "cli/cli.h"
#include "store/secret_store.h"

static void on_lost(const struct uuid *endpoint)
{
	char id[UUID_TEXT];

	uuid_format(endpoint, id);
	printf("lost: the secret of webhook %s\n", id);
}

static enum db_result rekey_all(struct db *db, struct rekey *rekey)
{
	int64_t row = cli_audit_begin(db, AUDIT_REKEYED, "");
	enum db_result result = secrets_rekey(db, rekey);
	struct buf changes = { 0 };

	buf_printf(&changes, "{\"sealed\":%" PRId64 ",\"lost\":%" PRId64 ",\"replaced\":%s}", rekey->sealed, rekey->lost,
	           rekey->replace_lost ? "true" : "false");
	cli_audit_end(db, row, changes.data);
	buf_free(&changes);
	return result;
}

void cli_secrets_rekey(const struct conf *conf, int argc, char **argv)
{
	const char *lost = "keep";
	const struct argument options[] = { { "lost", &lost } };
	struct rekey rekey = { .on_lost = on_lost };
	struct db *db;

	arguments_read(argc, argv, options, 1, 0);
	rekey.replace_lost = strcmp(lost, "replace") == 0;
	if (!rekey.replace_lost && strcmp(lost, "keep") != 0)
		fatal("--lost must be keep or replace, not `%s`", lost);
	vault_load(conf->secret_key_file);
	db = db_new(conf->database_file);
	if (db_ready(db) != DB_OK || rekey_all(db, &rekey) != DB_OK)
		fatal("the database failed: %s", db_last_error(db));
	db_free(db);
	printf("%" PRId64 " sealed, %" PRId64 " left as they were\n", rekey.sealed, rekey.untouched);
	fflush(stdout); /* before a message that may end the process */
	if (rekey.lost > 0 && !rekey.replace_lost)
		fatal("%" PRId64 " secrets cannot be opened with the keys of %s: see --lost in --help", rekey.lost,
		      conf->secret_key_file);
}
