#include "store/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/audit_store.h"
#include "store/json_repair.h"
#include "store/migrate_watch.h"
#include "store/schema.h"
#include "store/statements.h"

/* "0001_schema.sql" → 1; anything else → 0. */
static int file_version(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (strspn(name, "0123456789") != 4 || name[4] != '_' || dot == NULL || strcmp(dot, ".sql") != 0)
		return 0;
	return atoi(name);
}

static int is_migration(const struct dirent *entry)
{
	return file_version(entry->d_name) > 0;
}

/* Copies the next statement without its comments to `out`, and returns the text after its semicolon. */
static const char *next_statement(const char *sql, struct buf *out)
{
	char quote = '\0';

	buf_reset(out);
	for (; *sql != '\0'; sql++) {
		if (quote == '\0' && *sql == ';')
			return sql + 1;
		if (quote == '\0' && strncmp(sql, "--", 2) == 0) {
			sql += strcspn(sql, "\n");
			if (*sql == '\0')
				break;
		}
		if (*sql == quote)
			quote = '\0';
		else if (quote == '\0' && strchr("'\"`", *sql) != NULL)
			quote = *sql;
		buf_putc(out, *sql);
	}
	return sql;
}

static bool is_blank(const struct buf *text)
{
	return strspn(buf_text(text), " \t\r\n") == text->len;
}

struct migration {
	struct db *db;
	const char *option_file, *folder;
	FILE *progress;
	int64_t connection;
};

static void path_of(const struct migration *migration, const char *name, struct buf *path)
{
	buf_printf(path, "%s/%s", migration->folder, name);
}

static void run_statements(const struct migration *migration, const char *path, const char *text)
{
	struct buf statement = { 0 };

	while (*text != '\0') {
		text = next_statement(text, &statement);
		if (!is_blank(&statement) && db_run_text(migration->db, statement.data) != DB_OK)
			fatal("%s: %s", path, db_last_error(migration->db));
	}
	buf_free(&statement);
}

static void run_file(const struct migration *migration, const char *name)
{
	struct buf text = { 0 }, path = { 0 };
	pid_t watch;

	path_of(migration, name, &path);
	buf_read(&text, path.data);
	watch = migrate_watch_begin(migration->option_file, name, migration->connection, migration->progress);
	run_statements(migration, path.data, buf_text(&text));
	migrate_watch_end(watch);
	buf_free(&path);
	buf_free(&text);
}

/* Work on the data that the statements of a file rely on, and that SQL cannot do. Like the files, it can be repeated.
 */
static const struct {
	const char *file;
	enum db_result (*run)(struct db *db, FILE *progress);
} preparations[] = {
	{ "0014_json.sql", json_repair },
};

static void apply(const struct migration *migration, const char *name)
{
	fprintf(migration->progress, "applying %s\n", name);
	for (size_t i = 0; i < sizeof preparations / sizeof *preparations; i++)
		if (strcmp(preparations[i].file, name) == 0 && preparations[i].run(migration->db, migration->progress) != DB_OK)
			fatal("%s: %s", name, db_last_error(migration->db));
	run_file(migration, name);
	if (db_exec(migration->db, SQL_SCHEMA_RECORD, DB_ARGS(db_int(file_version(name)), db_instant(clock_now_us()))) !=
	    DB_OK)
		fatal("%s: %s", name, db_last_error(migration->db));
}

static void hash_file(const struct migration *migration, const char *name, char out[2 * SHA256_SIZE + 1])
{
	struct buf text = { 0 }, path = { 0 };
	uint8_t hash[SHA256_SIZE];

	path_of(migration, name, &path);
	buf_read(&text, path.data);
	crypto_sha256(buf_text(&text), text.len, hash);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	buf_free(&path);
	buf_free(&text);
}

/* A file that was applied before there were checksums gets the checksum of the present file. */
static void check_file(const struct migration *migration, const char *name)
{
	char hash[2 * SHA256_SIZE + 1];
	struct arena *arena = arena_new();
	struct db_value version = db_int(file_version(name));
	struct db_rows rows;

	hash_file(migration, name, hash);
	if (db_query(migration->db, SQL_SCHEMA_CHECKSUM, DB_ARGS(version), arena, &rows) != DB_OK)
		fatal("%s: %s", name, db_last_error(migration->db));
	if (rows.count > 0 && *db_get_text(&rows, 0, 0) == '\0') {
		if (db_exec(migration->db, SQL_SCHEMA_SET_CHECKSUM, DB_ARGS(db_text(hash), version)) != DB_OK)
			fatal("%s: %s", name, db_last_error(migration->db));
	} else if (rows.count > 0 && strcmp(db_get_text(&rows, 0, 0), hash) != 0) {
		log_warning("%s is not the file of that number that was applied to this database", name);
	}
	arena_free(arena);
}

static void lock(struct db *db)
{
	struct arena *arena = arena_new();
	struct db_rows rows;

	if (db_ready(db) != DB_OK)
		fatal("cannot connect to the database: %s", db_last_error(db));
	if (db_query(db, SQL_SCHEMA_MIGRATION_LOCK, DB_NO_ARGS, arena, &rows) != DB_OK || db_get_int(&rows, 0, 0) != 1)
		fatal("another `outdial migrate` is at work on this database and does not end");
	arena_free(arena);
}

static void check_folder(const char *folder, struct dirent *const *files, int count)
{
	if (count < 0)
		fatal("%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++)
		if (file_version(files[i]->d_name) != i + 1)
			fatal("%s: there is no file of version %d", folder, i + 1);
	if (count != SCHEMA_VERSION)
		fatal("%s: its newest file is of version %d, this program's is %d", folder, count, SCHEMA_VERSION);
}

/* Returns the newest version that was applied. */
static int64_t check_database(struct db *db)
{
	int64_t newest;
	bool is_utf8;

	if (schema_is_utf8(db, &is_utf8) != DB_OK)
		fatal("cannot ask the database: %s", db_last_error(db));
	if (!is_utf8)
		fatal("the database's character set must be utf8mb4: ALTER DATABASE … CHARACTER SET utf8mb4");
	lock(db);
	if (schema_newest(db, &newest) != DB_OK)
		fatal("cannot read the database's schema version: %s", db_last_error(db));
	if (newest > SCHEMA_VERSION)
		fatal("the database has schema version %d, this program knows only %d: it is too old", (int)newest,
		      SCHEMA_VERSION);
	return newest;
}

static void apply_if_missing(const struct migration *migration, const char *name)
{
	bool applied;

	if (schema_is_applied(migration->db, file_version(name), &applied) != DB_OK)
		fatal("cannot read which files were applied: %s", db_last_error(migration->db));
	if (!applied)
		apply(migration, name);
}

static void note(struct db *db, int64_t from)
{
	struct buf changes = { 0 };
	struct audit_entry entry = {
		.object = AUDIT_INSTALLATION,
		.action = AUDIT_MIGRATED,
		.from_status = -1,
		.to_status = -1,
		.happened_at_us = clock_now_us(),
		.reason = "",
	};
	enum db_result result;

	buf_printf(&changes, "{\"schema_version\":{\"from\":%d,\"to\":%d}}", (int)from, SCHEMA_VERSION);
	entry.changes = changes.data;
	result = audit_write(db, &entry);
	if (result != DB_OK)
		fatal("cannot write the audit log: %s", db_last_error(db));
	buf_free(&changes);
}

void migrate(const char *option_file, const char *folder, FILE *progress)
{
	struct migration migration = { .option_file = option_file, .folder = folder, .progress = progress };
	struct dirent **files;
	int count = scandir(folder, &files, is_migration, alphasort);
	int64_t newest;

	check_folder(folder, files, count);
	db_be_patient(DB_FOR_PEOPLE);
	migration.db = db_new(option_file);
	newest = check_database(migration.db);
	if (db_query_int(migration.db, SQL_MIGRATE_CONNECTION, DB_NO_ARGS, &migration.connection) != DB_OK)
		fatal("cannot ask the database: %s", db_last_error(migration.db));
	for (int i = 0; i < count; i++)
		apply_if_missing(&migration, files[i]->d_name);
	for (int i = 0; i < count; i++) {
		check_file(&migration, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	if (newest < SCHEMA_VERSION)
		note(migration.db, newest);
	fprintf(progress, "schema version %d\n", SCHEMA_VERSION);
	db_free(migration.db); /* ends the lock */
}
