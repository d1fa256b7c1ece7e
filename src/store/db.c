#include "store/db_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"

/* What the client library calls itself differs; these are the only names we need of it. */
#define ER_LOCK_WAIT 1205
#define ER_DEADLOCK 1213
#define ER_SNAPSHOT 1020
#define ER_DUPLICATE 1062
#define ER_KILLED_FIRST 1152 /* ER_ABORTING_CONNECTION */
#define ER_SHUTDOWN 1053
#define ER_CONNECTION_KILLED 1927
#define ER_INTERRUPTED 1317 /* what MySQL says first when a connection is killed, or it shuts down */
#define ER_IDLE_TOO_LONG 4031
#define ER_READ_ONLY 1290 /* a server that is not the primary any more */
#define ER_READ_ONLY_TRANSACTION 1792
#define ER_DISK_FULL 1021
#define ER_TABLE_FULL 1114
#define CLIENT_ERROR_FIRST 2000
#define CLIENT_ERROR_LAST 2999

#define TIMEOUT_SECONDS 30
#define IDLE_MAX_US (30 * US_PER_SECOND) /* well below the session's wait_timeout */
#define CLOCK_MAX_AGE_US (5 * US_PER_SECOND)
#define MAX_RUNS 12
#define FEW_RUNS 4

static const char *diverted_to; /* NULL: what the option file says */

void db_divert(const char *database)
{
	diverted_to = database;
}

struct db *db_new(const char *option_file)
{
	struct db *db = calloc(1, sizeof *db);

	if (db == NULL)
		fatal("out of memory");
	if (access(option_file, R_OK) != 0) /* the client library would pass it by in silence */
		fatal("%s: %s", option_file, strerror(errno));
	db->option_file = option_file;
	return db;
}

static void disconnect(struct db *db)
{
	for (int i = 0; i < SQL__MAX; i++)
		if (db->prepared[i].stmt != NULL)
			mysql_stmt_close(db->prepared[i].stmt);
	memset(db->prepared, 0, sizeof db->prepared);
	if (db->mysql != NULL)
		mysql_close(db->mysql);
	db->mysql = NULL;
}

void db_free(struct db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	free(db);
}

enum db_result db_classify(struct db *db, const char *what, unsigned number, const char *message)
{
	strncpy(db->error, message, sizeof db->error - 1);
	db->waited_for_lock = number == ER_LOCK_WAIT;
	switch (number) {
	case ER_DUPLICATE:
		return DB_DUPLICATE;
	case ER_DEADLOCK:
	case ER_LOCK_WAIT:
	case ER_SNAPSHOT:
		log_debug("database conflict in %s: %s", what, message);
		return DB_CONFLICT;
	case ER_SHUTDOWN:
	case ER_KILLED_FIRST:
	case ER_CONNECTION_KILLED:
	case ER_INTERRUPTED:
	case ER_IDLE_TOO_LONG:
	case ER_READ_ONLY:
	case ER_READ_ONLY_TRANSACTION:
	case ER_DISK_FULL: /* no fault of the statement */
	case ER_TABLE_FULL:
		break;
	default:
		if (number < CLIENT_ERROR_FIRST || number > CLIENT_ERROR_LAST) {
			log_error("database error %u in %s: %s", number, what, message);
			return DB_ERROR;
		}
	}
	log_warning("database connection lost in %s: %s", what, message);
	disconnect(db);
	return DB_LOST;
}

static enum db_result fail(struct db *db, const char *what)
{
	return db_classify(db, what, mysql_errno(db->mysql), mysql_error(db->mysql));
}

enum db_result db_run_text(struct db *db, const char *sql)
{
	bool failed = mysql_query(db->mysql, sql) != 0;

	db->used_at_us = clock_mono_us();
	return failed ? fail(db, "text") : DB_OK;
}

const char *db_last_error(const struct db *db)
{
	return db->error;
}

static enum db_result connect_database(struct db *db)
{
	unsigned timeout = TIMEOUT_SECONDS;
	static const char session[] =
		"SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
		" innodb_lock_wait_timeout = 5, group_concat_max_len = 1048576,"
		/* A host that vanishes inside a transaction keeps its locks no longer than this. */
		" wait_timeout = 60"
		/* From MariaDB 11.6 on a locking read would fail where it meets a row that changed since the statement began. */
		"/*M!110602 , innodb_snapshot_isolation = OFF */";

	db->mysql = mysql_init(NULL);
	if (db->mysql == NULL)
		fatal("out of memory");
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_FILE, db->option_file);
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_GROUP, "outdial");
	mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &(unsigned){ 5 });
	mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &timeout);
	mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &timeout);
	if (mysql_real_connect(db->mysql, NULL, NULL, NULL, diverted_to, 0, NULL, CLIENT_FOUND_ROWS) == NULL) {
		fail(db, "connect");
		disconnect(db);
		return DB_LOST;
	}
	if (db_run_text(db, session) != DB_OK ||
	    db_run_text(db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") != DB_OK) {
		disconnect(db); /* never work on a connection that is not as promised */
		return DB_LOST;
	}
	return DB_OK;
}

/* Statements never say NOW(): this is the one place that asks the database for the time. */
static enum db_result sync_clock(struct db *db)
{
	int64_t asked = clock_mono_us();
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CLOCK, DB_NO_ARGS, arena, &rows);

	if (result == DB_OK)
		clock_set(db_get_int(&rows, 0, 0), asked, clock_mono_us());
	arena_free(arena);
	return result;
}

/* A connection that was idle for long may have been closed by the server, so another is made: this is nothing
 * to be told of. */
static void leave_idle_connection(struct db *db)
{
	if (db->mysql != NULL && !db->in_transaction && clock_mono_us() - db->used_at_us > IDLE_MAX_US)
		disconnect(db);
}

enum db_result db_ready(struct db *db)
{
	enum db_result result = DB_OK;

	leave_idle_connection(db);
	if (db->mysql == NULL)
		result = connect_database(db);
	if (result == DB_OK && clock_age_us() > CLOCK_MAX_AGE_US)
		result = sync_clock(db);
	return result == DB_OK ? DB_OK : DB_LOST;
}

enum db_result db_connect(struct db *db)
{
	leave_idle_connection(db);
	if (db->mysql != NULL)
		return DB_OK;
	return db->in_transaction ? DB_LOST : db_ready(db); /* a new connection would know nothing of the transaction */
}

static enum db_result run_connected(struct db *db, db_work *work, void *context)
{
	enum db_result result;

	DB_TRY(db_run_text(db, "START TRANSACTION"));
	result = work(db, context);
	if (db->mysql == NULL)
		return DB_LOST;
	if (result != DB_OK) {
		if (mysql_rollback(db->mysql))
			disconnect(db); /* the server rolls back what a lost connection left */
		return result;
	}
	if (mysql_commit(db->mysql)) {
		result = fail(db, "COMMIT");
		return result == DB_LOST ? DB_UNKNOWN : result;
	}
	return DB_OK;
}

static enum db_result run_once(struct db *db, db_work *work, void *context)
{
	enum db_result result;

	DB_TRY(db_ready(db));
	db->in_transaction = true;
	result = run_connected(db, work, context);
	db->in_transaction = false;
	return result;
}

static void back_off(int run)
{
	int64_t limit_us = (US_PER_MS << (run < 8 ? run : 8)), wait_us;
	uint32_t dice; /* not random(): forked workers would throw the same */

	crypto_random(&dice, sizeof dice);
	wait_us = limit_us / 2 + dice % limit_us;

	nanosleep(&(struct timespec){ .tv_sec = wait_us / US_PER_SECOND,
	                              .tv_nsec = wait_us % US_PER_SECOND * 1000 }, NULL);
}

static enum db_result run_often(struct db *db, enum db_again again, int max_runs, db_work *work, void *context)
{
	enum db_result result = DB_LOST;
	bool unknown = false;

	assert(!db->in_transaction); /* a second START TRANSACTION would commit the first */
	for (int run = 0; run < max_runs; run++) {
		result = run_once(db, work, context);
		unknown |= result == DB_UNKNOWN;
		if (result != DB_CONFLICT && result != DB_LOST && !(result == DB_UNKNOWN && again == DB_REPEATABLE))
			break;
		if (result == DB_CONFLICT && db->waited_for_lock && max_runs == FEW_RUNS)
			break;
		back_off(run);
	}
	return unknown && result == DB_LOST ? DB_UNKNOWN : result; /* an earlier run may have been kept */
}

enum db_result db_transact(struct db *db, enum db_again again, db_work *work, void *context)
{
	return run_often(db, again, MAX_RUNS, work, context);
}

enum db_result db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context)
{
	return run_often(db, again, FEW_RUNS, work, context);
}

bool db_waited_for_lock(const struct db *db)
{
	return db->waited_for_lock;
}

bool db_is_refusal(enum db_result result)
{
	return result != DB_OK && result != DB_LOST && result != DB_UNKNOWN;
}

enum db_result db_rehearse(struct db *db, db_work *work, void *context)
{
	assert(db->in_transaction);
	DB_TRY(db_run_text(db, "SAVEPOINT rehearsal"));
	DB_TRY(work(db, context));
	return db_run_text(db, "ROLLBACK TO SAVEPOINT rehearsal");
}
