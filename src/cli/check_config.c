#include <stdio.h>

#include "base/arguments.h"
#include "base/log.h"
#include "base/tls.h"
#include "base/zone.h"
#include "cli/cli.h"
#include "domain/number_zones.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/secret_store.h"
#include "store/zone_store.h"

static void require_statements(const struct conf *conf)
{
	struct db *db = db_new(conf->database_file);

	if (db_prepare_all(db) != DB_OK)
		fatal("the database does not accept every statement: %s", db_last_error(db));
	db_free(db);
}

/* Without the replica the database answers, so this is no reason not to start. */
static void warn_of_replica(const struct conf *conf)
{
	int64_t version = 0;
	struct db *db;

	if (*conf->read_database_file == '\0')
		return;
	db = db_new_reader(conf->read_database_file);
	if (db_ready(db) != DB_OK || schema_version(db, &version) != DB_OK)
		log_warning("the replica does not answer: see `read_database_file`: %s", db_last_error(db));
	else if (version != SCHEMA_VERSION)
		log_warning("the replica has schema version %d, wanted is %d", (int)version, SCHEMA_VERSION);
	db_free(db);
}

static void warn_of_zone(const struct zone_use *use)
{
	const char *trouble = zone_trouble(use->zone);

	if (trouble != NULL)
		log_warning("the time zone %s cannot be read on this host: %s. It is used by %lld campaigns, %lld contacts that"
		            " wait in campaigns, and %lld stored contacts",
		            use->zone, trouble, (long long)use->campaigns, (long long)use->waiting, (long long)use->contacts);
}

static void warn_of_number_zone(const char *zone)
{
	const char *trouble = zone_trouble(zone);

	if (trouble != NULL)
		log_warning("the time zone %s, in number_zones_file, cannot be read on this host: %s", zone, trouble);
}

/* Campaigns and contacts in such a zone wait, and everything else goes on. So this is no reason not to start. */
static void warn_of_zones(const struct conf *conf)
{
	struct db *db = db_new(conf->database_file);
	struct arena *arena = arena_new();
	const struct zone_use *uses;
	size_t count;

	if (zone_uses(db, arena, &uses, &count) != DB_OK)
		fatal("cannot read which time zones are in use: %s", db_last_error(db));
	for (size_t i = 0; i < count; i++)
		warn_of_zone(&uses[i]);
	number_zones_each(warn_of_number_zone);
	arena_free(arena);
	db_free(db);
}

void cli_check_config(const struct conf *conf, int argc, char **argv)
{
	arguments_read(argc, argv, NULL, 0, 0);
	conf_print(conf);
	fflush(stdout); /* before a message that may end the process */
	tls_require_files(conf);
	if (schema_require(conf->database_file) != DB_OK || secrets_require(conf) != DB_OK)
		fatal("the database does not answer: see `database_file`");
	require_statements(conf);
	warn_of_zones(conf);
	warn_of_replica(conf);
	printf("# The database answers, has schema version %d, locks rows as it should and takes every statement;\n"
	       "# the keys open the secrets in it.\n",
	       SCHEMA_VERSION);
}
