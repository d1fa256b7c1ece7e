#include <stdio.h>

#include "base/arguments.h"
#include "base/log.h"
#include "base/tls.h"
#include "cli/cli.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/secret_store.h"

static void require_statements(const struct conf *conf)
{
	struct db *db = db_new(conf->database_file);

	if (db_prepare_all(db) != DB_OK)
		fatal("the database does not take every statement: %s", db_last_error(db));
	db_free(db);
}

void cli_check_config(const struct conf *conf, int argc, char **argv)
{
	arguments_read(argc, argv, NULL, 0, 0);
	conf_print(conf);
	fflush(stdout); /* before the reason why it may end here */
	tls_require_files(conf);
	schema_require(conf->database_file);
	secrets_require(conf);
	require_statements(conf);
	printf("# The database answers, has schema version %d, locks rows as it should and takes every statement;\n"
	       "# the keys open the secrets in it.\n",
	       SCHEMA_VERSION);
}
