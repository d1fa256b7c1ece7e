#include "cli/organization.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/arguments.h"
#include "base/instant.h"
#include "base/log.h"
#include "cli/cli.h"
#include "engine/organization_move.h"
#include "engine/organization_removal.h"
#include "store/organization_store.h"
#include "store/schema.h"

struct db *organization_connect(const struct conf *conf)
{
	struct db *db = db_new(conf->database_file);
	int64_t version;

	if (db_ready(db) != DB_OK || schema_version(db, &version) != DB_OK)
		fatal("cannot connect to the database of %s: %s", conf->database_file, db_last_error(db));
	if (version != SCHEMA_VERSION)
		fatal("the database of %s has schema version %" PRId64 ", this program needs %d: run `outdial migrate` there,"
		      " with the same version of Outdial",
		      conf->database_file, version, SCHEMA_VERSION);
	return db;
}

void organization_show_deleted(const char *table, int64_t rows, bool done)
{
	printf("  %s: %" PRId64 " rows deleted%s\n", table, rows, done ? "" : " so far");
	fflush(stdout);
}

static void print_place(const struct organization_place_of *at, struct arena *arena)
{
	static const char *const words[] = {
		[ORGANIZATION_HERE] = "here",
		[ORGANIZATION_LEAVING] = "leaving for",
		[ORGANIZATION_ELSEWHERE] = "in",
		[ORGANIZATION_ARRIVING] = "arriving from",
		[ORGANIZATION_DROPPED] = "a copy that was given up",
	};
	char id[UUID_TEXT], created[32], place[64];

	uuid_format(&at->uuid, id);
	instant_format_iso(at->created_at_us, created);
	snprintf(place, sizeof place, "%s%s%s", words[at->place], *at->cell != '\0' ? " " : "", at->cell);
	printf("%s  %s  %-26s  %s\n", id, created, place, cli_printable(arena, at->name));
}

void cli_organization_list(const struct conf *conf, int argc, char **argv)
{
	struct arena *arena = arena_new();
	const struct organization_place_of *list;
	struct db *db;
	size_t count;

	arguments_read(argc, argv, NULL, 0, 0);
	db = organization_connect(conf);
	cli_check(organization_places(db, arena, &list, &count), db);
	for (size_t i = 0; i < count; i++)
		print_place(&list[i], arena);
	arena_free(arena);
	db_free(db);
}

void cli_organization_delete(const struct conf *conf, int argc, char **argv)
{
	static const struct uuid none;
	char **words = arguments_read(argc, argv, NULL, 0, 1);
	struct arena *arena = arena_new();
	struct organization_place_of at;
	struct db *db;
	enum db_result result;
	char changes[128], id[UUID_TEXT];

	db_be_patient(DB_FOR_PEOPLE);
	db = organization_connect(conf);
	result = organization_at(db, &none, words[0], arena, &at);
	if (result == DB_NOT_FOUND)
		fatal("there is no organisation `%s`", words[0]);
	cli_check(result, db);
	if (at.place != ORGANIZATION_ELSEWHERE)
		fatal("`%s` was not moved to another cell: this command only deletes what such a move left", words[0]);
	uuid_format(&at.uuid, id);
	snprintf(changes, sizeof changes, "{\"organization\":\"%s\",\"cell\":\"%s\"}", id, at.cell);
	cli_audit_begin(db, AUDIT_DELETED, changes);
	cli_check(organization_remove_rows(db, at.id, organization_show_deleted), db);
	printf("`%s` is deleted here, except its name and its keys\n", cli_printable(arena, words[0]));
	db_free(db);
	arena_free(arena);
}
