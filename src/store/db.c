#include "store/db_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/db_writer.h"
#include "store/outage.h"

#define IDLE_MAX_US (30 * US_PER_SECOND) /* well below the session's wait_timeout */
#define CLOCK_MAX_AGE_US (5 * US_PER_SECOND)
#define READER_STATEMENT_S 5 /* of a replica: the writer can still answer the request */
#define ER_CON_COUNT 1040
#define ER_USER_CONNECTIONS 1203
#define ER_LOCK_WAIT 1205
#define PLACE_TRIES 10 /* for a free connection of the server */
#define PLACE_WAIT_MS 100
#define LOOK_S 1 /* how long a host that is only looked at may take for each answer */

static const char *diverted_to; /* NULL: the database of the option file */

void db_divert(const char *database)
{
	diverted_to = database;
}

struct db *db_new(const char *option_file)
{
	struct db *db = calloc(1, sizeof *db);

	if (db == NULL)
		fatal("out of memory");
	if (access(option_file, R_OK) != 0) /* the client library would ignore it silently */
		fatal("%s: %s", option_file, strerror(errno));
	db->option_file = option_file;
	db_hosts_read(option_file, &db->hosts);
	return db;
}

struct db *db_new_reader(const char *option_file)
{
	struct db *db = db_new(option_file);

	db->is_reader = true;
	return db;
}

void db_disconnect(struct db *db)
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
	db_disconnect(db);
	free(db);
}

static void drop_connection(struct db *db, const char *what, const char *message)
{
	bool hangs = db_waits()->statement_s != 0 && db->mysql != NULL &&
	             clock_mono_us() - db->used_at_us >= db_waits()->statement_s * US_PER_SECOND;

	log_debug("database connection lost in %s: %s", what, message);
	if (!db->only_looks && !db->is_reader)
		outage_count_lost();
	db_disconnect(db);
	if (hangs && !db->is_reader)
		outage_begins(message);
	db_writer_lost(db, hangs);
}

enum db_result db_classify(struct db *db, const char *what, unsigned number, const char *message)
{
	strncpy(db->error, message, sizeof db->error - 1);
	db->waited_for_lock = number == ER_LOCK_WAIT;
	switch (db_error_class(number)) {
	case DB_ERROR_DUPLICATE: return DB_DUPLICATE;
	case DB_ERROR_CONFLICT:
		log_debug("database conflict in %s: %s", what, message);
		outage_count_conflict();
		return DB_CONFLICT;
	case DB_ERROR_PASSES:
		log_warning("the database cannot do it now, in %s: error %u, %s", what, number, message);
		return DB_LOST;
	case DB_ERROR_NEXT_HOST: drop_connection(db, what, db->error); return DB_LOST;
	default: log_error("database error %u in %s: %s", number, what, message); return DB_ERROR;
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

static unsigned statement_seconds(const struct db *db)
{
	return db->is_reader && db_patience() == DB_FOR_REQUESTS ? READER_STATEMENT_S : db_waits()->statement_s;
}

enum db_result db_connect_host(struct db *db, const struct db_host *host)
{
	unsigned seconds = db->only_looks ? LOOK_S : statement_seconds(db);
	unsigned connect_s = db->only_looks ? LOOK_S : db_waits()->connect_s;
	const char *name = NULL, *socket = NULL;

	db->is_writer = false;
	db->is_turned_away = false;
	db->used_at_us = clock_mono_us();
	db->mysql = mysql_init(NULL);
	if (db->mysql == NULL)
		fatal("out of memory");
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_FILE, db->option_file);
	mysql_options(db->mysql, MYSQL_READ_DEFAULT_GROUP, "outdial");
	mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	db_wait_set_up(db);
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
		db->is_turned_away = mysql_errno(db->mysql) == ER_CON_COUNT || mysql_errno(db->mysql) == ER_USER_CONNECTIONS;
		db_disconnect(db);
		return DB_LOST;
	}
	if (db_begin_session(db) == DB_OK)
		return DB_OK;
	db_disconnect(db);
	return DB_LOST;
}

/* Connects to the first host that takes writes; if there is none, to a host that can be read from. */
static enum db_result connect_first(struct db *db)
{
	size_t count = db->hosts.count, first = db_writer_host(), readable = count;

	for (size_t i = 0; i < count; i++) {
		size_t host = (first + i) % count;

		if (db_connect_host(db, &db->hosts.list[host]) != DB_OK)
			continue;
		db->host = host;
		if (db->is_writer) {
			db_writer_found(db);
			return DB_OK;
		}
		db_disconnect(db);
		readable = host;
	}
	if (readable == count)
		return DB_LOST;
	db->host = readable;
	return db_connect_host(db, &db->hosts.list[readable]);
}

/* Any host can be read from. The host that was used before is tried first. */
static enum db_result connect_reader(struct db *db)
{
	size_t count = db->hosts.count, first = db->host;

	if (count == 0)
		return db_connect_host(db, NULL);
	for (size_t i = 0; i < count; i++) {
		db->host = (first + i) % count;
		if (db_connect_host(db, &db->hosts.list[db->host]) == DB_OK)
			return DB_OK;
	}
	return DB_LOST;
}

static enum db_result connect_any(struct db *db)
{
	return db->hosts.count == 0 ? db_connect_host(db, NULL) : connect_first(db);
}

/* A server without a free connection works with those that it has, so this process alone waits. If it failed at once,
 * it would take the requests that others could answer. */
static enum db_result connect_database(struct db *db)
{
	enum db_result result = connect_any(db);

	for (int i = 0; i < PLACE_TRIES && result != DB_OK && db->is_turned_away; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = PLACE_WAIT_MS * 1000000 }, NULL);
		result = connect_any(db);
	}
	if (result == DB_OK)
		outage_ends();
	else if (db->is_turned_away)
		outage_warn_full(db->error);
	else
		outage_begins(db->error);
	return result;
}

/* Statements never say NOW(): this is the one place that asks the database for the time. */
enum db_result db_ask_clock(struct db *db, int64_t *now_us)
{
	return db_query_int(db, SQL_CLOCK, DB_NO_ARGS, now_us);
}

static enum db_result sync_clock(struct db *db)
{
	int64_t asked = clock_mono_us(), now_us;

	DB_TRY(db_ask_clock(db, &now_us));
	clock_set(now_us, asked, clock_mono_us());
	return DB_OK;
}

/* The server may have closed a connection that was idle for a long time. So a new connection is made, without a
 * line in the log. The same applies if the other processes of this program use another host now. */
static void leave_old_connection(struct db *db)
{
	if (db->mysql == NULL || db->in_transaction)
		return;
	if (clock_mono_us() - db->used_at_us > IDLE_MAX_US || db_writer_has_moved(db))
		db_disconnect(db);
}

/* While the database is away, all processes fail at once, except the process whose turn it is. This process asks on its
 * present connection. */
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

	if (!db->is_reader && db_patience() != DB_FOR_REQUESTS)
		db_writer_look_back(db);
	leave_old_connection(db);
	if (db->is_reader)
		return db->mysql != NULL ? DB_OK : connect_reader(db);
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
	leave_old_connection(db);
	if (db->in_transaction) /* a new connection would know nothing of the transaction */
		return db->mysql != NULL && clock_mono_us() < db->give_up_at_us ? DB_OK : DB_LOST;
	return db->mysql != NULL && (db->is_reader || !outage_is_on()) ? DB_OK : db_ready(db);
}

bool db_takes_writes(const struct db *db)
{
	return db->mysql != NULL && db->is_writer;
}

/* The server's text with its last answer. */
bool db_is_in_transaction(const struct db *db)
{
	return (db->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}
