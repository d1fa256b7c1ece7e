#include "store/db.h"

#include <assert.h>
#include <errno.h>
#include <mysql.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/statements.h"

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
#define MAX_ARGS 64

#ifdef MARIADB_BASE_VERSION
typedef my_bool null_flag;
#else
typedef bool null_flag;
#endif

struct db {
	MYSQL *mysql; /* NULL: not connected */
	MYSQL_STMT *prepared[SQL__MAX];
	const char *option_file;
	bool in_transaction, waited_for_lock;
	int64_t used_at_us; /* monotonic: the last statement */
	int64_t affected, insert_id;
	char error[256];
};

static const struct {
	const char *name, *text;
} statements[SQL__MAX] = {
#define SQL(id, text) [id] = { #id, text },
#include "store/statements.def"
#undef SQL
};

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
		if (db->prepared[i] != NULL)
			mysql_stmt_close(db->prepared[i]);
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

/* Sorts an error into its class, and drops the connection when it is of no more use. */
static enum db_result classify(struct db *db, const char *what, unsigned number, const char *message)
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
	return classify(db, what, mysql_errno(db->mysql), mysql_error(db->mysql));
}

/* The statement is prepared anew when it is used next. An error may come behind the first rows of an answer (a lock that
 * is waited for in vain), and the client library would then wait for the rest of them at the next use. */
static enum db_result fail_statement(struct db *db, enum sql_statement id)
{
	MYSQL_STMT *stmt = db->prepared[id];
	unsigned number = mysql_stmt_errno(stmt);
	char message[256];

	strncpy(message, mysql_stmt_error(stmt), sizeof message - 1);
	message[sizeof message - 1] = '\0';
	mysql_stmt_close(stmt);
	db->prepared[id] = NULL;
	return classify(db, statements[id].name, number, message);
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

static MYSQL_TIME to_time(int64_t us)
{
	int32_t day = civil_day_of(us);
	int64_t rest = us - day * US_PER_DAY;
	int seconds = (int)(rest / US_PER_SECOND), y, m, d;

	civil_date(day, &y, &m, &d);
	return (MYSQL_TIME){
		.year = (unsigned)y, .month = (unsigned)m, .day = (unsigned)d,
		.hour = (unsigned)(seconds / 3600), .minute = (unsigned)(seconds / 60 % 60),
		.second = (unsigned)(seconds % 60), .second_part = (unsigned long)(rest % US_PER_SECOND),
		.time_type = MYSQL_TIMESTAMP_DATETIME,
	};
}

static int64_t from_time(const MYSQL_TIME *t)
{
	int64_t seconds = (t->hour * INT64_C(60) + t->minute) * 60 + t->second;

	return civil_day((int)t->year, (int)t->month, (int)t->day) * US_PER_DAY +
	       seconds * US_PER_SECOND + (int64_t)t->second_part;
}

static enum db_result prepare(struct db *db, enum sql_statement id)
{
	const char *text = statements[id].text;

	leave_idle_connection(db);
	if (db->mysql == NULL && db->in_transaction)
		return DB_LOST; /* a new connection would know nothing of the transaction */
	if (db->mysql == NULL)
		DB_TRY(db_ready(db));
	if (db->prepared[id] != NULL)
		return DB_OK;
	db->prepared[id] = mysql_stmt_init(db->mysql);
	if (db->prepared[id] == NULL)
		fatal("out of memory");
	if (mysql_stmt_prepare(db->prepared[id], text, (unsigned long)strlen(text)) == 0)
		return DB_OK;
	return fail_statement(db, id);
}

enum db_result db_prepare_all(struct db *db)
{
	for (enum sql_statement id = 0; id < SQL__MAX; id++)
		DB_TRY(prepare(db, id));
	return DB_OK;
}

static void bind_arg(const struct db_value *arg, MYSQL_BIND *bind, MYSQL_TIME *time)
{
	switch (arg->type) {
	case DB_INT:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = (void *)&arg->i;
		break;
	case DB_INSTANT:
		*time = to_time(arg->i);
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = time;
		break;
	case DB_TEXT:
	case DB_BYTES:
		bind->buffer_type = arg->type == DB_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		bind->buffer = (void *)arg->data;
		bind->buffer_length = (unsigned long)arg->len;
		break;
	}
}

static enum db_result execute(struct db *db, enum sql_statement id, const struct db_value *args, size_t count)
{
	MYSQL_BIND binds[MAX_ARGS] = { 0 };
	MYSQL_TIME times[MAX_ARGS];

	DB_TRY(prepare(db, id));
	assert(count <= MAX_ARGS && mysql_stmt_param_count(db->prepared[id]) == count);
	for (size_t i = 0; i < count; i++)
		bind_arg(&args[i], &binds[i], &times[i]);
	bool failed = mysql_stmt_bind_param(db->prepared[id], binds) || mysql_stmt_execute(db->prepared[id]);

	db->used_at_us = clock_mono_us();
	return failed ? fail_statement(db, id) : DB_OK;
}

enum db_result db_exec(struct db *db, enum sql_statement id, const struct db_value *args, size_t count)
{
	DB_TRY(execute(db, id, args, count));
	db->affected = (int64_t)mysql_stmt_affected_rows(db->prepared[id]);
	db->insert_id = (int64_t)mysql_stmt_insert_id(db->prepared[id]);
	return DB_OK;
}

int64_t db_affected(const struct db *db)
{
	return db->affected;
}

int64_t db_insert_id(const struct db *db)
{
	return db->insert_id;
}

/* Where the client library puts one column of the row being read. */
struct column {
	enum db_type type;
	int64_t i;
	MYSQL_TIME time;
	unsigned long len;
	null_flag is_null;
	char *text;
};

static enum db_type column_type(const MYSQL_FIELD *field)
{
	switch (field->type) {
	case MYSQL_TYPE_TINY: case MYSQL_TYPE_SHORT: case MYSQL_TYPE_INT24: case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG: case MYSQL_TYPE_NEWDECIMAL: /* what sums and COALESCE make of integers */
		return DB_INT;
	case MYSQL_TYPE_DATETIME: case MYSQL_TYPE_TIMESTAMP:
		return DB_INSTANT;
	default:
		return DB_TEXT;
	}
}

static void bind_column(struct column *column, const MYSQL_FIELD *field, MYSQL_BIND *bind, struct arena *arena)
{
	column->type = column_type(field);
	bind->is_null = &column->is_null;
	bind->length = &column->len;
	if (column->type == DB_INT) {
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &column->i;
	} else if (column->type == DB_INSTANT) {
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = &column->time;
	} else { /* max_length is known, because the result was stored with UPDATE_MAX_LENGTH */
		column->text = arena_alloc(arena, field->max_length + 1);
		bind->buffer_type = MYSQL_TYPE_STRING;
		bind->buffer = column->text;
		bind->buffer_length = field->max_length;
	}
}

static struct db_value read_column(const struct column *column, struct arena *arena)
{
	struct db_value value = { .type = column->type };

	if (column->type == DB_INT)
		value.i = column->is_null ? 0 : column->i;
	else if (column->type == DB_INSTANT)
		value.i = column->is_null ? INSTANT_NONE : from_time(&column->time);
	else {
		value.len = column->is_null ? 0 : column->len;
		value.data = arena_strndup(arena, column->text, value.len);
	}
	return value;
}

static int fetch_rows(MYSQL_STMT *stmt, struct arena *arena, struct db_rows *rows)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(stmt);
	const MYSQL_FIELD *fields = mysql_fetch_fields(meta);
	struct column *columns = arena_alloc(arena, rows->columns * sizeof *columns);
	MYSQL_BIND *binds = arena_alloc(arena, rows->columns * sizeof *binds);
	struct db_value *cell = arena_alloc(arena, rows->count * rows->columns * sizeof *cell);
	int fetched = 0;

	rows->cells = cell;
	for (size_t c = 0; c < rows->columns; c++)
		bind_column(&columns[c], &fields[c], &binds[c], arena);
	mysql_free_result(meta);
	if (mysql_stmt_bind_result(stmt, binds))
		return 1;
	for (size_t r = 0; r < rows->count && fetched == 0; r++) {
		fetched = mysql_stmt_fetch(stmt);
		for (size_t c = 0; c < rows->columns; c++)
			*cell++ = read_column(&columns[c], arena);
	}
	return fetched;
}

static enum db_result query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                            struct arena *arena, struct db_rows *rows)
{
	MYSQL_STMT *stmt;

	*rows = (struct db_rows){ 0 };
	DB_TRY(prepare(db, id));
	stmt = db->prepared[id];
	mysql_stmt_attr_set(stmt, STMT_ATTR_UPDATE_MAX_LENGTH, &(null_flag){ 1 });
	DB_TRY(execute(db, id, args, count));
	if (mysql_stmt_store_result(stmt))
		return fail_statement(db, id);
	rows->count = (size_t)mysql_stmt_num_rows(stmt);
	rows->columns = mysql_stmt_field_count(stmt);
	if (rows->count != 0 && fetch_rows(stmt, arena, rows))
		return fail_statement(db, id);
	mysql_stmt_free_result(stmt);
	return DB_OK;
}

enum db_result db_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                        struct arena *arena, struct db_rows *rows)
{
	enum db_result result = query(db, id, args, count, arena, rows);

	if (result == DB_LOST && !db->in_transaction) /* a restart of the server since the last query */
		result = query(db, id, args, count, arena, rows);
	return result;
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
