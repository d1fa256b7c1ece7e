#include "store/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/json_repair.h"
#include "store/schema.h"
#include "store/statements.h"

/* "0001_schema.sql" → 1; anything else → 0. */
static int file_version(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (strspn(name, "0123456789") != 4 || name[4] != '_' || dot == NULL ||
	    strcmp(dot, ".sql") != 0)
		return 0;
	return atoi(name);
}

static int is_migration(const struct dirent *entry)
{
	return file_version(entry->d_name) > 0;
}

static void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "r");
	char part[4096];
	size_t got;

	if (file == NULL)
		fatal("%s: %s", path, strerror(errno));
	while ((got = fread(part, 1, sizeof part, file)) > 0)
		buf_add(out, part, got);
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	fclose(file);
}

/* Copies the next statement without its comments to `out` and returns what is behind its semicolon. */
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

static void run_file(struct db *db, const char *path)
{
	struct buf text = { 0 }, statement = { 0 };
	const char *rest;

	read_file(path, &text);
	rest = buf_text(&text);
	while (*rest != '\0') {
		rest = next_statement(rest, &statement);
		if (!is_blank(&statement) && db_run_text(db, statement.data) != DB_OK)
			fatal("%s: %s", path, db_last_error(db));
	}
	buf_free(&text);
	buf_free(&statement);
}

/* Work on the data that a file's statements rely on, and that SQL cannot do. It is repeatable, as the files are. */
static const struct {
	const char *file;
	enum db_result (*run)(struct db *db, FILE *progress);
} preparations[] = {
	{ "0014_json.sql", json_repair },
};

static void prepare(struct db *db, const char *name, FILE *progress)
{
	for (size_t i = 0; i < sizeof preparations / sizeof *preparations; i++)
		if (strcmp(preparations[i].file, name) == 0 && preparations[i].run(db, progress) != DB_OK)
			fatal("%s: %s", name, db_last_error(db));
}

static void apply(struct db *db, const char *folder, const char *name, FILE *progress)
{
	struct buf path = { 0 };

	fprintf(progress, "applying %s\n", name);
	buf_printf(&path, "%s/%s", folder, name);
	prepare(db, name, progress);
	run_file(db, path.data);
	if (db_exec(db, SQL_SCHEMA_RECORD,
	            DB_ARGS(db_int(file_version(name)), db_instant(clock_now_us()))) != DB_OK)
		fatal("%s: %s", path.data, db_last_error(db));
	buf_free(&path);
}

static void lock(struct db *db)
{
	struct arena *arena = arena_new();
	struct db_rows rows;

	if (db_ready(db) != DB_OK)
		fatal("cannot connect to the database: %s", db_last_error(db));
	if (db_query(db, SQL_SCHEMA_MIGRATION_LOCK, DB_NO_ARGS, arena, &rows) != DB_OK ||
	    db_get_int(&rows, 0, 0) != 1)
		fatal("another `outdial migrate` is at work on this database and does not end");
	arena_free(arena);
}

void migrate(const char *option_file, const char *folder, FILE *progress)
{
	struct db *db = db_new(option_file);
	struct dirent **files;
	int count = scandir(folder, &files, is_migration, alphasort);
	int newest = count > 0 ? file_version(files[count - 1]->d_name) : 0;
	int64_t version;
	bool is_utf8;

	if (count < 0)
		fatal("%s: %s", folder, strerror(errno));
	if (newest != SCHEMA_VERSION)
		fatal("%s: its newest file is of version %d, this program's is %d", folder, newest,
		      SCHEMA_VERSION);
	if (schema_is_utf8(db, &is_utf8) != DB_OK)
		fatal("cannot ask the database: %s", db_last_error(db));
	if (!is_utf8)
		fatal("the database's character set must be utf8mb4: ALTER DATABASE … CHARACTER SET utf8mb4");
	lock(db);
	if (schema_version(db, &version) != DB_OK)
		fatal("cannot read the database's schema version: %s", db_last_error(db));
	if (version > newest)
		fatal("the database has schema version %d, this program knows only %d: it is too old",
		      (int)version, newest);
	for (int i = 0; i < count; i++) {
		if (file_version(files[i]->d_name) > version)
			apply(db, folder, files[i]->d_name, progress);
		free(files[i]);
	}
	free(files);
	fprintf(progress, "schema version %d\n", newest);
	db_free(db); /* ends the lock */
}
