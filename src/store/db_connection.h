/* The inner side of store/db.h: a connection, which db.c makes, and db_statement.c and db_transaction.c
 * use. No other file includes it. */
#ifndef STORE_DB_CONNECTION_H
#define STORE_DB_CONNECTION_H

#include <mysql.h>

#include "store/columns.h"
#include "store/db.h"
#include "store/db_hosts.h"
#include "store/statements.h"

/* A prepared statement of a connection, and the position of each of its columns in its list. */
struct prepared {
	MYSQL_STMT *stmt; /* NULL: not prepared */
	uint8_t map[COLUMNS_MAX];
};

/* The counts of a transaction: db_count. */
#define DB_COUNTS_MAX 16
struct db_counts {
	struct {
		int figure, slot;
		int64_t count;
	} list[DB_COUNTS_MAX];
	int len;
};

struct db {
	MYSQL *mysql; /* NULL: not connected */
	struct prepared prepared[SQL__MAX];
	const char *option_file;
	struct db_hosts hosts;
	size_t host;          /* of the list: the host of the connection */
	bool is_reader;       /* made by db_new_reader; is_writer stays false */
	bool is_writer;       /* the host of the connection takes writes */
	bool only_looks;      /* the connection only tests whether a host answers, with short timeouts */
	bool is_turned_away;  /* the server has no free connection */
	bool locks_are_local; /* to one host of several that take writes: see db_guard */
	bool in_transaction, waited_for_lock;
	int64_t used_at_us;    /* monotonic: the last statement */
	int64_t give_up_at_us; /* monotonic, of the transaction: no statement begins after this */
	int64_t affected, insert_id;
	char error[256];
	char notes[2048]; /* lines of db_note, each with its NUL; they end with an empty one */
	size_t notes_len;
	struct db_counts counts;
	db_meanwhile *meanwhile; /* NULL: nothing is done while an answer is awaited */
	void *meanwhile_context;
};

/* How long this process waits: see db_be_patient. */
struct db_waits {
	unsigned connect_s, statement_s, lock_s; /* statement 0: as long as it takes */
	int64_t again_us;                        /* no run of a transaction begins after this */
	int64_t give_up_us;                      /* and no statement after this */
};
enum db_patience db_patience(void);
const struct db_waits *db_waits(void);

enum db_error_class {
	DB_ERROR_BUG, /* of the statement or the schema */
	DB_ERROR_DUPLICATE,
	DB_ERROR_CONFLICT,  /* the transaction is gone, and is run again */
	DB_ERROR_PASSES,    /* by itself: the connection stays */
	DB_ERROR_NEXT_HOST, /* the connection is dropped, and the next host is asked first */
	DB_ERROR_CLASS__MAX
};

enum db_error_class db_error_class(unsigned number);

/* Returns false if the transaction ended unnoticed because a cluster gave it up. Then a further statement would be
 * committed by itself. */
bool db_is_in_transaction(const struct db *db);

/* Finds out whether the host of a new connection takes writes, and sets up the session. A connection is used only if
 * this succeeded. */
enum db_result db_begin_session(struct db *db);

/* Connects to this host; NULL: to the host that the option file names. Returns DB_OK or DB_LOST. */
enum db_result db_connect_host(struct db *db, const struct db_host *host);

/* Closes a connection that was idle for too long, and connects if necessary. DB_LOST: that is not possible, or a
 * transaction would be abandoned. */
enum db_result db_connect(struct db *db);

/* Waiting for the server, while db_meanwhile runs: db_wait.c. They return false if the client library has an error. */
void db_wait_set_up(const struct db *db); /* before the connection is made */
bool db_wait_execute(struct db *db, MYSQL_STMT *stmt);
bool db_wait_store(struct db *db, MYSQL_STMT *stmt);
bool db_wait_commit(struct db *db);

/* Sorts an error into its class, and drops the connection if it cannot be used any more. */
enum db_result db_classify(struct db *db, const char *what, unsigned number, const char *message);

#endif
