#include "store/db_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/outage.h"

#define IDLE_MAX_US (30 * US_PER_SECOND) /* well below the session's wait_timeout */
#define CLOCK_MAX_AGE_US (5 * US_PER_SECOND)
#define MAX_RUNS 12
#define FEW_RUNS 4
#define ER_LOCK_WAIT 1205
#define ER_NOT_READY 1047
#define OUTAGE_BRIDGED_US (2 * US_PER_SECOND) /* in a shorter one a transaction is tried again, and nobody notices */

/* How long each kind of program waits. Each is longer than the one inside of it, and shorter than the one around it:
 * a lock, a statement, a request, nginx (60 s) and the watchdogs (30 s without a statement that ended). */
static const struct {
	unsigned connect_s, statement_s, lock_s; /* statement 0: as long as it takes */
	int64_t again_us;   /* no run of a transaction begins after this */
	int64_t give_up_us; /* and no statement after this */
} patiences[DB_PATIENCE__MAX] = {
	[DB_FOR_REQUESTS] = { 3, 15, 5, 10 * US_PER_SECOND, 40 * US_PER_SECOND },
	[DB_FOR_WORK] = { 3, 20, 5, 10 * US_PER_SECOND, 120 * US_PER_SECOND },
	[DB_FOR_PROBES] = { 2, 4, 3, 0, 4 * US_PER_SECOND },
	[DB_FOR_PEOPLE] = { 10, 0, 365 * 86400, INT64_MAX / 2, INT64_MAX / 2 },
};

static enum db_patience patience = DB_FOR_WORK;

void db_be_patient(enum db_patience like)
{
	patience = like;
}

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
	db_hosts_read(option_file, &db->hosts);
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

void db_disconnect(struct db *db)
{
	disconnect(db);
}

void db_free(struct db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	free(db);
}

static void drop_connection(struct db *db, const char *what, const char *message)
{
	bool hangs = patiences[patience].statement_s != 0 && db->mysql != NULL &&
	             clock_mono_us() - db->used_at_us >= patiences[patience].statement_s * US_PER_SECOND;

	log_debug("database connection lost in %s: %s", what, message);
	outage_count_lost();
	disconnect(db);
	if (hangs)
		outage_begins(message);
	if (db->hosts.count > 0)
		db->host = (db->host + 1) % db->hosts.count;
}

enum db_result db_classify(struct db *db, const char *what, unsigned number, const char *message)
{
	strncpy(db->error, message, sizeof db->error - 1);
	db->waited_for_lock = number == ER_LOCK_WAIT;
	switch (db_error_class(number)) {
	case DB_ERROR_DUPLICATE:
		return DB_DUPLICATE;
	case DB_ERROR_CONFLICT:
		log_debug("database conflict in %s: %s", what, message);
		outage_count_conflict();
		return DB_CONFLICT;
	case DB_ERROR_PASSES:
		log_warning("the database cannot do it now, in %s: error %u, %s", what, number, message);
		return DB_LOST;
	case DB_ERROR_NEXT_HOST:
		drop_connection(db, what, db->error);
		return DB_LOST;
	default:
		log_error("database error %u in %s: %s", number, what, message);
		return DB_ERROR;
	}
}

static enum db_result fail(struct db *db, const char *what)
{
	return db_classify(db, what, mysql_errno(db->mysql), mysql_error(db->mysql));
}

enum db_result db_run_text(struct db *db, const char *sql)
{
	bool failed;

	db->used_at_us = clock_mono_us();
	failed = mysql_query(db->mysql, sql) != 0;
	if (!failed)
		db->used_at_us = clock_mono_us();
	return failed ? fail(db, "text") : DB_OK;
}

const char *db_last_error(const struct db *db)
{
	return db->error;
}

/* One column of what a SHOW statement answers, by the name in the other; NULL: it has no such row. */
static const char *shown(const MYSQL_RES *answer, MYSQL_ROW row, const char *name)
{
	return answer != NULL && row != NULL && strcasecmp(row[0], name) == 0 ? row[1] : NULL;
}

static bool is_on(const char *value)
{
	return value != NULL && strcasecmp(value, "OFF") != 0 && strcmp(value, "0") != 0;
}

struct host_facts {
	bool read_only, wsrep_on, wsrep_ready, writes_everywhere;
};

static enum db_result ask_facts(struct db *db, const char *sql, struct host_facts *facts)
{
	MYSQL_RES *answer;
	MYSQL_ROW row;

	DB_TRY(db_run_text(db, sql));
	answer = mysql_store_result(db->mysql);
	while (answer != NULL && (row = mysql_fetch_row(answer)) != NULL) {
		const char *many = shown(answer, row, "group_replication_single_primary_mode");

		facts->read_only |= is_on(shown(answer, row, "read_only")) || is_on(shown(answer, row, "innodb_read_only"));
		facts->wsrep_on |= is_on(shown(answer, row, "wsrep_on"));
		facts->wsrep_ready |= is_on(shown(answer, row, "wsrep_ready"));
		facts->writes_everywhere |= many != NULL && !is_on(many);
	}
	mysql_free_result(answer);
	return DB_OK;
}

/* A replica, a node that has lost its quorum, or a primary that is one no more, takes the connection and no writes. */
static enum db_result look_at_host(struct db *db)
{
	struct host_facts facts = { .read_only = false };

	DB_TRY(ask_facts(db, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'innodb_read_only', 'wsrep_on',"
	                 " 'group_replication_single_primary_mode')", &facts));
	if (facts.wsrep_on)
		DB_TRY(ask_facts(db, "SHOW GLOBAL STATUS LIKE 'wsrep_ready'", &facts));
	db->locks_are_local = facts.wsrep_on || facts.writes_everywhere;
	if (facts.wsrep_on && !facts.wsrep_ready)
		return db_classify(db, "connect", ER_NOT_READY, "this node of the cluster is not ready");
	db->is_writer = !facts.read_only;
	return DB_OK;
}

/* Never works on a connection that is not as promised. */
static enum db_result set_up_session(struct db *db)
{
	char text[128];
	static const char session[] =
		"SET SESSION time_zone = '+00:00',"
		/* A difference of two counters may be below zero: no reason to refuse the statement. */
		" sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_UNSIGNED_SUBTRACTION',"
		" group_concat_max_len = 1048576,"
		/* A host that vanishes inside a transaction keeps its locks no longer than this. */
		" wait_timeout = 60"
		/* From MariaDB 11.6 on a locking read would fail where it meets a row that changed since the statement began. */
		"/*M!110602 , innodb_snapshot_isolation = OFF */";

	snprintf(text, sizeof text, "SET SESSION innodb_lock_wait_timeout = %u, lock_wait_timeout = %u",
	         patiences[patience].lock_s, patiences[patience].lock_s);
	DB_TRY(db_run_text(db, session));
	DB_TRY(db_run_text(db, text));
	return db_run_text(db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
}

static enum db_result connect_host(struct db *db, const struct db_host *host)
{
	unsigned seconds = patiences[patience].statement_s;
	const char *name = NULL, *socket = NULL;

	db->is_writer = false;
	db->used_at_us = clock_mono_us();
	db->mysql = mysql_init(NULL);
	if (db->mysql == NULL)
		fatal("out of memory");
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_FILE, db->option_file);
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_GROUP, "outdial");
	mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &patiences[patience].connect_s);
	if (seconds != 0) {
		mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
		mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	}
	if (host != NULL && *host->name != '/')
		name = host->name;
	if (host != NULL && *host->name == '/')
		socket = host->name;
	if (mysql_real_connect(db->mysql, socket != NULL ? "localhost" : name, NULL, NULL, diverted_to,
	                       host != NULL ? host->port : 0, socket, CLIENT_FOUND_ROWS) == NULL) {
		strncpy(db->error, mysql_error(db->mysql), sizeof db->error - 1);
		disconnect(db);
		return DB_LOST;
	}
	if (look_at_host(db) == DB_OK && set_up_session(db) == DB_OK)
		return DB_OK;
	disconnect(db);
	return DB_LOST;
}

/* The first host that takes writes; where none does, one that is good for reading. */
static enum db_result connect_first(struct db *db)
{
	size_t count = db->hosts.count, first = db->host, readable = count;

	for (size_t i = 0; i < count; i++) {
		size_t host = (first + i) % count;

		if (connect_host(db, &db->hosts.list[host]) != DB_OK)
			continue;
		db->host = host;
		if (db->is_writer)
			return DB_OK;
		disconnect(db);
		readable = host;
	}
	if (readable == count)
		return DB_LOST;
	db->host = readable;
	return connect_host(db, &db->hosts.list[readable]);
}

static enum db_result connect_database(struct db *db)
{
	enum db_result result = db->hosts.count == 0 ? connect_host(db, NULL) : connect_first(db);

	if (result == DB_OK)
		outage_ends();
	else
		outage_begins(db->error);
	return result;
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

/* While the database is away, all but the one whose turn it is fail at once. That one asks on the connection that it has. */
static enum db_result ask_in_outage(struct db *db)
{
	if (!outage_may_ask())
		return DB_LOST;
	if (db->mysql != NULL)
		DB_TRY(db_run_text(db, "DO 0"));
	if (db->mysql != NULL)
		outage_ends();
	return DB_OK;
}

enum db_result db_ready(struct db *db)
{
	enum db_result result = DB_OK;

	leave_idle_connection(db);
	if (outage_is_on())
		DB_TRY(ask_in_outage(db));
	if (db->mysql == NULL)
		result = connect_database(db);
	if (result == DB_OK && clock_age_us() > CLOCK_MAX_AGE_US)
		result = sync_clock(db);
	return result == DB_OK ? DB_OK : DB_LOST;
}

enum db_result db_connect(struct db *db)
{
	leave_idle_connection(db);
	if (db->in_transaction) /* a new connection would know nothing of the transaction */
		return db->mysql != NULL && clock_mono_us() < db->give_up_at_us ? DB_OK : DB_LOST;
	return db->mysql != NULL && !outage_is_on() ? DB_OK : db_ready(db);
}

bool db_takes_writes(const struct db *db)
{
	return db->mysql != NULL && db->is_writer;
}

/* What the server said with its last answer. */
bool db_is_in_transaction(const struct db *db)
{
	return (db->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

static void write_notes(struct db *db)
{
	for (size_t at = 0; at < db->notes_len; at += strlen(db->notes + at) + 1)
		log_info("%s", db->notes + at);
	db->notes_len = 0;
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
	if (!db_is_in_transaction(db)) /* nothing is left to commit */
		return DB_CONFLICT;
	db->used_at_us = clock_mono_us();
	if (mysql_commit(db->mysql)) {
		result = fail(db, "COMMIT");
		return result == DB_LOST ? DB_UNKNOWN : result;
	}
	return DB_OK;
}

static enum db_result run_once(struct db *db, db_work *work, void *context)
{
	enum db_result result;

	if (db->mysql != NULL && !db->is_writer)
		disconnect(db); /* to look for a host that takes writes */
	DB_TRY(db_ready(db));
	db->in_transaction = true;
	db->give_up_at_us = clock_mono_us() + patiences[patience].give_up_us;
	db->notes_len = 0;
	result = run_connected(db, work, context);
	db->in_transaction = false;
	if (result == DB_OK)
		write_notes(db);
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
	int64_t began_us = clock_mono_us();

	assert(!db->in_transaction); /* a second START TRANSACTION would commit the first */
	if (outage_stops_writes())
		return DB_LOST;
	for (int run = 0; run < max_runs; run++) {
		result = run_once(db, work, context);
		unknown |= result == DB_UNKNOWN;
		if (result != DB_CONFLICT && result != DB_LOST && !(result == DB_UNKNOWN && again == DB_REPEATABLE))
			break;
		if (result == DB_CONFLICT && db->waited_for_lock && max_runs == FEW_RUNS)
			break;
		if (clock_mono_us() - began_us > patiences[patience].again_us || outage_lasts_us() > OUTAGE_BRIDGED_US)
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
	size_t notes_len = db->notes_len;

	assert(db->in_transaction);
	DB_TRY(db_run_text(db, "SAVEPOINT rehearsal"));
	DB_TRY(work(db, context));
	db->notes_len = notes_len;
	return db_run_text(db, "ROLLBACK TO SAVEPOINT rehearsal");
}

void db_note(struct db *db, const char *format, ...)
{
	size_t room = sizeof db->notes - db->notes_len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(db->notes + db->notes_len, room, format, args);
	va_end(args);
	if (len > 0 && (size_t)len + 1 < room)
		db->notes_len += (size_t)len + 1;
	if (!db->in_transaction)
		write_notes(db);
}

enum db_result db_guard(struct db *db, enum db_guard guard, int64_t id)
{
	if (!db->locks_are_local || !db->in_transaction) /* a lock outside of a transaction guards nothing */
		return DB_OK;
	if (guard == GUARD_CAMPAIGN) /* whose row claims and reports write */
		return db_exec(db, SQL_GUARD_CAMPAIGN, DB_ARGS(db_int(id)));
	return db_exec(db, SQL_GUARD, DB_ARGS(db_int(guard), db_int(id)));
}
