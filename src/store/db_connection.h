/* Inner side of store/db.h: a connection as db.c makes it and db_statement.c uses it. No one else includes this. */
#ifndef STORE_DB_CONNECTION_H
#define STORE_DB_CONNECTION_H

#include <mysql.h>

#include "store/columns.h"
#include "store/db.h"
#include "store/db_hosts.h"
#include "store/statements.h"

/* A statement on a connection, and which of its columns of the answer is which of the list it is read by. */
struct prepared {
	MYSQL_STMT *stmt; /* NULL: not prepared */
	uint8_t map[COLUMNS_MAX];
};

struct db {
	MYSQL *mysql; /* NULL: not connected */
	struct prepared prepared[SQL__MAX];
	const char *option_file;
	struct db_hosts hosts;
	size_t host; /* of the list: the one that is asked first */
	bool is_writer; /* what it connected to takes writes */
	bool locks_are_local; /* to one host of several that take writes: see db_guard */
	bool in_transaction, waited_for_lock;
	int64_t used_at_us; /* monotonic: the last statement */
	int64_t give_up_at_us; /* monotonic, of the transaction: no statement begins after this */
	int64_t affected, insert_id;
	char error[256];
	char notes[2048]; /* lines of db_note, each with its NUL; they end with an empty one */
	size_t notes_len;
};

enum db_error_class {
	DB_ERROR_BUG,       /* of the statement or the schema */
	DB_ERROR_DUPLICATE,
	DB_ERROR_CONFLICT,  /* the transaction is gone, and is run again */
	DB_ERROR_PASSES,    /* by itself: the connection stays */
	DB_ERROR_NEXT_HOST, /* the connection is dropped, and the next host is asked first */
	DB_ERROR_CLASS__MAX
};

enum db_error_class db_error_class(unsigned number);

/* False: the transaction ended without a word, because a cluster gave it up. What runs now would be kept by itself. */
bool db_is_in_transaction(const struct db *db);

/* Closes what idled for too long, and connects if need be. DB_LOST: not possible, or a transaction would be left. */
enum db_result db_connect(struct db *db);

/* Sorts an error into its class, and drops the connection when it is of no more use. */
enum db_result db_classify(struct db *db, const char *what, unsigned number, const char *message);

#endif
