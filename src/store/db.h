/* One connection to MariaDB or MySQL: transactions, prepared statements, error classes. Every statement comes from the
 * closed set of store/statements.h and is prepared once per connection. Only the files of this header include mysql.h.
 * READ COMMITTED, strict mode, session time zone UTC.
 *
 * A batch of rows, whatever its size, is one parameter: a JSON array that the statement unfolds with JSON_TABLE. So no
 * SQL is built at run time, and a batch costs one round trip. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/uuid.h"

struct db;

enum db_result {
	DB_OK,
	DB_NOT_FOUND, /* only stores return it: the row does not exist */
	DB_REFUSED,   /* only the body of a transaction returns it: then the transaction is rolled back */
	DB_DUPLICATE, /* a unique key has this value already */
	DB_CONFLICT,  /* deadlock, lock wait timeout, or a cluster rolled it back: run the transaction again */
	DB_LOST,      /* no connection, or the server is overloaded; nothing of this transaction was kept */
	DB_UNKNOWN,   /* the connection was lost during COMMIT: read again to learn whether it was kept */
	DB_ERROR,     /* the server rejected a statement: a bug or a wrong schema, which is logged */
	DB_RESULT__MAX
};

/* Returns whether the server answered and rejected the work, so that a second run would fail too. A loop over many
 * objects skips this object and goes on. */
bool db_is_refusal(enum db_result result);

/* Returns from the calling function with the first result that is not DB_OK. */
#define DB_TRY(call) \
	do { \
		enum db_result db_try_ = (call); \
		if (db_try_ != DB_OK) \
			return db_try_; \
	} while (0)

enum db_type { DB_INT, DB_TEXT, DB_BYTES, DB_INSTANT, DB_ROWS, DB_MEMBERS };

struct rows;    /* store/rows.h */
struct columns; /* store/columns.h */

/* A parameter or a cell of a result. The schema uses sentinels; the NULL of an outer join, of an empty aggregate,
 * or of calls.batch_id is read as 0, "" or INSTANT_NONE. */
struct db_value {
	enum db_type type;
	int64_t i;        /* DB_INT; DB_INSTANT in microseconds UTC */
	const char *data; /* DB_TEXT (NUL-terminated in results), DB_BYTES, DB_ROWS */
	size_t len;
	const void *of; /* DB_ROWS: the struct rows; DB_MEMBERS: the struct that `columns` describe */
	const struct columns *columns;
};

struct db_value db_int(int64_t value);
struct db_value db_text(const char *text);
struct db_value db_bytes(const void *data, size_t len);
struct db_value db_buf(const struct buf *buf); /* the text of a buffer */
struct db_value db_instant(int64_t us);
struct db_value db_uuid(const struct uuid *id); /* not copied */
/* Makes as many parameters as there are columns, from the members that the columns name, in their order. For
 * db_exec. */
struct db_value db_members(const struct columns *columns, const void *object);

/* The parameters of a statement in order: DB_ARGS(db_int(id), db_text(name)) */
#define DB_ARGS(...) \
	(const struct db_value[]){ __VA_ARGS__ }, sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)
#define DB_NO_ARGS NULL, 0

/* The answer of a query: an array of structs for a statement made with READ (statements.def), or cells for a statement
 * made with SQL, which answers a column or two. */
struct db_rows {
	size_t count, columns;
	const struct db_value *cells;
	void *structs;
	const struct columns *of;
};

/* The rows as structs: DB_STRUCTS(&rows, struct agent). Aborts if the statement reads into another type. */
#define DB_STRUCTS(rows, type) ((type *)db_structs(rows, #type))
void *db_structs(const struct db_rows *rows, const char *type);

/* Copies the first row to *out. DB_NOT_FOUND: there is no row. */
#define DB_FIRST(rows, type, out) db_first(rows, #type, 1 ? (out) : (type *)NULL)
enum db_result db_first(const struct db_rows *rows, const char *type, void *out);

/* Cells of row `r`, column `c`, from 0. Aborts if the cell has another type. */
int64_t db_get_int(const struct db_rows *rows, size_t r, size_t c); /* also of an instant */
const char *db_get_text(const struct db_rows *rows, size_t r, size_t c);
const struct db_value *db_get(const struct db_rows *rows, size_t r, size_t c);
struct uuid db_get_uuid(const struct db_rows *rows, size_t r, size_t c);

enum sql_statement; /* store/statements.h */

/* Reads the credentials from the group [outdial] of a MySQL option file. Never fails: the connection is made at its
 * first use, and again after a loss. */
struct db *db_new(const char *option_file);
/* Like db_new, for a replica that is only read from. It may refuse writes. Its failures do not count as an outage, and
 * it does not set the clock. */
struct db *db_new_reader(const char *option_file);
void db_free(struct db *db);

/* How long this process waits for the database, on connections that are made from now on. */
enum db_patience {
	DB_FOR_REQUESTS, /* shorter than a request may take */
	DB_FOR_WORK,     /* shorter than the watchdog waits; the default */
	DB_FOR_PROBES,   /* only to learn whether the database answers */
	DB_FOR_PEOPLE,   /* as long as it takes */
	DB_PATIENCE__MAX
};
void db_be_patient(enum db_patience like);

/* Ends the connection, before a fork. The next use connects again. */
void db_disconnect(struct db *db);

/* Calls `meanwhile` repeatedly while the connection waits for the answer to a statement or a COMMIT. `meanwhile` must
 * return after `wait_ms`, or when `fd` (-1: none) can be read, and must not use a connection. Call this function before
 * the first use of `db`. */
typedef void db_meanwhile(void *context, int fd, int wait_ms);
void db_do_meanwhile(struct db *db, db_meanwhile *meanwhile, void *context);

/* For simulations: every later connection of this process uses this database instead of the database that the
 * option file names. The name is not copied. */
void db_divert(const char *database);

/* Returns whether the host of the connection takes writes. */
bool db_takes_writes(const struct db *db);

/* Connects if need be, and keeps the process's clock to the database's (base/clock.h). DB_OK or DB_LOST. */
enum db_result db_ready(struct db *db);

/* Asks this database for the time. For programs with several databases: the clock of a process follows one of them. */
enum db_result db_ask_clock(struct db *db, int64_t *now_us);

enum db_result db_exec(struct db *db, enum sql_statement id, const struct db_value *args, size_t count);
int64_t db_affected(const struct db *db);  /* rows the last db_exec matched */
int64_t db_insert_id(const struct db *db); /* AUTO_INCREMENT value of the last db_exec */

/* Reads the whole result into `arena`. */
enum db_result db_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                        struct arena *arena, struct db_rows *rows);

/* Copies the first row to *out: DB_GET(db, SQL_KEY_GET, DB_ARGS(db_int(id)), arena, struct key, out). DB_NOT_FOUND:
 * there is no row. */
#define DB_GET(db, id, args, arena, type, out) db_query_first(db, id, args, arena, #type, 1 ? (out) : (type *)NULL)
enum db_result db_query_first(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                              struct arena *arena, const char *type, void *out);

/* Reads all rows: DB_LIST(db, SQL_KEY_LIST, DB_NO_ARGS, arena, struct key, list, count). */
/* clang-format off */
#define DB_LIST(db, id, args, arena, type, list, count) \
	db_query_list(db, id, args, arena, #type, (void *)_Generic(*(list), type *: (list), const type *: (list)), count)
/* clang-format on */
enum db_result db_query_list(struct db *db, enum sql_statement id, const struct db_value *args, size_t arg_count,
                             struct arena *arena, const char *type, void *list, size_t *count);

/* Reads the first cell of the first row, a number. DB_NOT_FOUND: there is no row, and *out is 0. */
enum db_result db_query_int(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                            int64_t *out);

/* Prepares every statement. This checks that the server accepts them all, and that the columns of their results match
 * the structs into which they are read. */
enum db_result db_prepare_all(struct db *db);

/* Runs plain text from a trusted file or constant. Only for migrations and start-up checks. */
enum db_result db_run_text(struct db *db, const char *sql);
const char *db_last_error(const struct db *db);

typedef enum db_result db_work(struct db *db, void *context);

/* Runs `work` in a transaction and commits if it returns DB_OK, else rolls back. After a deadlock, or a connection
 * lost before COMMIT, the whole of `work` runs again, a bounded number of times with growing pauses. So `work` must
 * set its results again each time. DB_UNKNOWN: the COMMIT was sent and not answered. `again` says that running a
 * second time is harmless; then `work` runs again after an unknown COMMIT. */
enum db_again { DB_ONCE, DB_REPEATABLE };
enum db_result db_transact(struct db *db, enum db_again again, db_work *work, void *context);
/* Like db_transact, but gives up after a few runs, or when it has waited for a lock. For loops that have other work,
 * and try again later. */
enum db_result db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context);
/* Returns whether the last DB_CONFLICT was a wait for a lock that took too long. */
bool db_waited_for_lock(const struct db *db);

/* Logs a change that this transaction makes, at level info, when the transaction has been committed. A line that does
 * not fit into the memory of the transaction is left out. Outside of a transaction it logs at once. */
void db_note(struct db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to a figure without series (store/figures.h) when the transaction has been committed; outside of a transaction
 * at once. */
void db_count(struct db *db, int figure, int slot, int64_t count);

/* Makes a lock valid in a whole cluster. Call it inside a transaction that has locked a row to judge a rule, and does
 * not write this row. If several hosts take writes, a lock holds on its own host only. Then this function writes a row,
 * so that only one of several such transactions is committed. */
enum db_guard {
	GUARD_LIMITS, /* of an organisation */
	GUARD_ORGANIZATION,
	GUARD_AGENT,
	GUARD_WEBHOOK,
	GUARD_FOLDER,
	GUARD_NUMBER,
	GUARD_CAMPAIGN,
	GUARD__MAX
};
enum db_result db_guard(struct db *db, enum db_guard guard, int64_t id);

/* Runs `work` inside a transaction and undoes its writes. The rows that it locked stay locked, if the transaction
 * has read or written something before. */
enum db_result db_rehearse(struct db *db, db_work *work, void *context);

#endif
