#include "store/schema.h"

#include "base/log.h"
#include "store/statements.h"

#define PACKET_MIN (16 << 20) /* the default of MariaDB */

static enum db_result query_int(struct db *db, enum sql_statement id, int64_t *out)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, id, DB_NO_ARGS, arena, &rows);

	if (result == DB_OK)
		*out = rows.count > 0 ? db_get_int(&rows, 0, 0) : 0;
	arena_free(arena);
	return result;
}

/* Returns 0 if there is no such table yet. */
static enum db_result ask_table(struct db *db, enum sql_statement id, int64_t *out)
{
	int64_t tables;

	*out = 0;
	DB_TRY(query_int(db, SQL_SCHEMA_TABLES, &tables));
	return tables > 0 ? query_int(db, id, out) : DB_OK;
}

enum db_result schema_version(struct db *db, int64_t *version)
{
	return ask_table(db, SQL_SCHEMA_VERSION, version);
}

enum db_result schema_newest(struct db *db, int64_t *version)
{
	return ask_table(db, SQL_SCHEMA_NEWEST, version);
}

enum db_result schema_is_applied(struct db *db, int version, bool *is_applied)
{
	int64_t newest = 0, count = 0;

	DB_TRY(schema_newest(db, &newest));
	if (newest > 0)
		DB_TRY(db_query_int(db, SQL_SCHEMA_IS_APPLIED, DB_ARGS(db_int(version)), &count));
	*is_applied = count > 0;
	return DB_OK;
}

enum db_result schema_is_utf8(struct db *db, bool *is_utf8)
{
	int64_t answer = 0;
	enum db_result result = query_int(db, SQL_SCHEMA_IS_UTF8, &answer);

	*is_utf8 = answer != 0;
	return result;
}

/* The contexts of two transactions, one inside the other. */
struct locking_test {
	struct db *second;
	bool works;
};

static enum db_result try_lock(struct db *db, void *context)
{
	struct locking_test *test = context;
	int64_t locked;

	DB_TRY(query_int(db, SQL_SCHEMA_LOCK, &locked));
	test->works = locked == 0;
	return DB_OK;
}

/* If even the first read skips the row, another process holds it for its own test: that is proof enough. */
static enum db_result lock_twice(struct db *db, void *context)
{
	struct locking_test *test = context;
	int64_t locked;

	DB_TRY(query_int(db, SQL_SCHEMA_LOCK, &locked));
	test->works = locked == 0;
	return test->works ? DB_OK : db_transact(test->second, DB_REPEATABLE, try_lock, test);
}

enum db_result schema_test_locking(const char *option_file, bool *works)
{
	struct db *first = db_new(option_file);
	struct locking_test test = { .second = db_new(option_file) };
	enum db_result result = db_transact(first, DB_REPEATABLE, lock_twice, &test);

	*works = test.works;
	db_free(first);
	db_free(test.second);
	return result;
}

/* A batch of rows is one parameter of a statement. The largest batches have some MiB. */
static enum db_result warn_of_packets(struct db *db)
{
	int64_t most;

	DB_TRY(query_int(db, SQL_SCHEMA_PACKET, &most));
	if (most < PACKET_MIN)
		log_warning("max_allowed_packet of the database is %lld: requests with many contacts need %d", (long long)most,
		            PACKET_MIN);
	return DB_OK;
}

static enum db_result require_version(struct db *db)
{
	int64_t version;
	bool is_utf8;

	DB_TRY(schema_version(db, &version));
	if (version < SCHEMA_VERSION)
		fatal("the database has schema version %d, this program needs %d: run `outdial migrate`", (int)version,
		      SCHEMA_VERSION);
	if (version > SCHEMA_VERSION)
		fatal("the database has schema version %d, this program knows only %d: it is too old", (int)version,
		      SCHEMA_VERSION);
	DB_TRY(schema_is_utf8(db, &is_utf8));
	if (!is_utf8)
		fatal("the database's character set must be utf8mb4: ALTER DATABASE … CHARACTER SET utf8mb4");
	return warn_of_packets(db);
}

/* If the server rejects this, it will not accept it later: the tables are wrong, or the user has no right to them. */
static enum db_result fatal_if_refused(struct db *db, enum db_result result)
{
	if (db_is_refusal(result) && result != DB_CONFLICT)
		fatal("cannot read the database's schema version: %s", db_last_error(db));
	return result == DB_OK ? DB_OK : DB_LOST;
}

enum db_result schema_require(const char *option_file)
{
	struct db *db = db_new(option_file);
	enum db_result result = fatal_if_refused(db, require_version(db));
	bool works = true;

	db_free(db);
	if (result == DB_OK)
		result = schema_test_locking(option_file, &works);
	if (!works)
		fatal("this server does not lock with FOR UPDATE SKIP LOCKED: Outdial cannot use it");
	return result == DB_OK ? DB_OK : DB_LOST;
}
