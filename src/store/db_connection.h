/* Inner side of store/db.h: a connection as db.c makes it and db_statement.c uses it. No one else includes this. */
#ifndef STORE_DB_CONNECTION_H
#define STORE_DB_CONNECTION_H

#include <mysql.h>

#include "store/columns.h"
#include "store/db.h"
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
	bool in_transaction, waited_for_lock;
	int64_t used_at_us; /* monotonic: the last statement */
	int64_t affected, insert_id;
	char error[256];
};

/* Closes what idled for too long, and connects if need be. DB_LOST: not possible, or a transaction would be left. */
enum db_result db_connect(struct db *db);

/* Sorts an error into its class, and drops the connection when it is of no more use. */
enum db_result db_classify(struct db *db, const char *what, unsigned number, const char *message);

#endif
