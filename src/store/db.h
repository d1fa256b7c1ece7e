/* One connection to MariaDB or MySQL: transactions, prepared statements, error classes. Every statement
 * comes from the closed set of store/statements.h and is prepared once per connection. mysql.h stays
 * behind this file. READ COMMITTED, strict mode, session time zone UTC.
 *
 * A batch of rows, whatever its size, is one parameter: a JSON array that the statement unfolds with
 * JSON_TABLE. So no SQL is ever built at run time, and a batch costs one round trip. */
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
	DB_NOT_FOUND, /* never from this file: stores return it for a row that is not there */
	DB_REFUSED,   /* never from this file: a transaction's body ends it so to have it rolled back */
	DB_DUPLICATE, /* a unique key was hit */
	DB_CONFLICT,  /* deadlock, lock wait, what a cluster gave up: the transaction is gone, run it again */
	DB_LOST,      /* no connection, or no room there: it passes; nothing of this transaction was kept */
	DB_UNKNOWN,   /* the connection was lost during COMMIT: read again to learn what holds */
	DB_ERROR,     /* the server refused a statement: logged, a bug or a broken schema */
	DB_RESULT__MAX
};

/* The server answered, and did not take the work: a second run would come to the same. Whoever works for many leaves out
 * what the work was for, and goes on with the others. */
bool db_is_refusal(enum db_result result);

/* Leaves the calling function with the first result that is not DB_OK. */
#define DB_TRY(call)                                  \
	do {                                          \
		enum db_result db_try_ = (call);      \
		if (db_try_ != DB_OK)                 \
			return db_try_;               \
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
struct db_value db_buf(const struct buf *buf); /* the text of a buffer, for batches of rows */
struct db_value db_instant(int64_t us);
struct db_value db_uuid(const struct uuid *id); /* not copied */
/* As many parameters as there are columns: the members that they name, in their order. For db_exec. */
struct db_value db_members(const struct columns *columns, const void *object);

/* The parameters of a statement in their order: DB_ARGS(db_int(id), db_text(name)) */
#define DB_ARGS(...)                      \
	(const struct db_value[]){ __VA_ARGS__ }, \
		sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)
#define DB_NO_ARGS NULL, 0

/* What a query answers. Of a statement made with READ (statements.def): an array of structs. Of one made with SQL:
 * cells, for answers of a column or two. */
struct db_rows {
	size_t count, columns;
	const struct db_value *cells;
	void *structs;
	const struct columns *of;
};

/* The rows as structs: DB_STRUCTS(&rows, struct agent). Aborts when the statement reads into another type. */
#define DB_STRUCTS(rows, type) ((type *)db_structs(rows, #type))
void *db_structs(const struct db_rows *rows, const char *type);

/* Copies the first row to *out; DB_NOT_FOUND: there is none. */
#define DB_FIRST(rows, type, out) db_first(rows, #type, 1 ? (out) : (type *)NULL)
enum db_result db_first(const struct db_rows *rows, const char *type, void *out);

/* Cells of row `r`, column `c`, from 0. Aborts when the cell is of another type. */
int64_t db_get_int(const struct db_rows *rows, size_t r, size_t c); /* also of an instant */
const char *db_get_text(const struct db_rows *rows, size_t r, size_t c);
const struct db_value *db_get(const struct db_rows *rows, size_t r, size_t c);
struct uuid db_get_uuid(const struct db_rows *rows, size_t r, size_t c);

enum sql_statement; /* store/statements.h */

/* Credentials come from the group [outdial] of a MySQL option file. Connects at first use and again
 * after a loss; never fails here. */
struct db *db_new(const char *option_file);
void db_free(struct db *db);

/* How long this process waits for the database from now on: for connections that are made after it. */
enum db_patience {
	DB_FOR_REQUESTS, /* shorter than a request may take */
	DB_FOR_WORK,     /* shorter than the watchdog waits; the default */
	DB_FOR_PROBES,   /* only to learn whether it answers */
	DB_FOR_PEOPLE,   /* as long as it takes */
	DB_PATIENCE__MAX
};
void db_be_patient(enum db_patience like);

/* Ends the connection; the next use makes one. Before a fork. */
void db_disconnect(struct db *db);

/* For simulations: every connection of this process made from now on is to this database and not to the one that
 * the option file names. The name is not copied. */
void db_divert(const char *database);

/* Whether the host that it is connected to takes writes. */
bool db_takes_writes(const struct db *db);

/* Connects if need be, and keeps the process's clock to the database's (base/clock.h). DB_OK or DB_LOST. */
enum db_result db_ready(struct db *db);

enum db_result db_exec(struct db *db, enum sql_statement id, const struct db_value *args, size_t count);
int64_t db_affected(const struct db *db);  /* rows the last db_exec matched */
int64_t db_insert_id(const struct db *db); /* AUTO_INCREMENT value of the last db_exec */

/* The whole result lands in `arena`. */
enum db_result db_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                        struct arena *arena, struct db_rows *rows);

/* The first cell of the first row, a number; DB_NOT_FOUND: there is no row, and *out is 0. */
enum db_result db_query_int(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                            int64_t *out);

/* Prepares every statement there is: so it is known that the server takes them all, and that what they answer fits
 * the structs that they are read into. */
enum db_result db_prepare_all(struct db *db);

/* Plain text from a trusted file or constant; for migrations and start-up checks alone. */
enum db_result db_run_text(struct db *db, const char *sql);
const char *db_last_error(const struct db *db);

typedef enum db_result db_work(struct db *db, void *context);

/* Runs `work` in a transaction and commits if it returns DB_OK, else rolls back. Deadlocks and
 * connections lost before COMMIT are ordinary: the whole of `work` runs again, with growing jitter, a
 * bounded number of times; so `work` must set what it answers afresh each time it runs.
 * DB_UNKNOWN: the COMMIT was sent and not answered. `again` says that running a second time is
 * harmless (or finds its own traces); then an unknown COMMIT is answered by running again. */
enum db_again { DB_ONCE, DB_REPEATABLE };
enum db_result db_transact(struct db *db, enum db_again again, db_work *work, void *context);
/* The same for a loop with other work to do, which comes again anyway: gives up after a few runs, or when it has waited
 * for a lock. */
enum db_result db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context);
/* The last DB_CONFLICT was a wait for a lock that took too long. */
bool db_waited_for_lock(const struct db *db);

/* A line of the log, of level info, about a change that this transaction makes: written when the transaction is kept. What
 * does not fit is left out. Outside of a transaction it is written at once. */
void db_note(struct db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Inside a transaction, after a lock under which a rule is judged and whose row is not written: where locks are local to
 * one of several hosts that take writes, this writes a row too, so that only one such transaction is kept. */
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

/* Inside a transaction: runs `work` and undoes what it wrote; the rows it locked stay locked, provided that
 * the transaction has read or written something before. */
enum db_result db_rehearse(struct db *db, db_work *work, void *context);

#endif
