/* The class of each error number of the server. A number that is not in the table is a bug of a statement or of the
 * schema. The names are those of the servers' manuals. */
#include "store/db_connection.h"

static const struct {
	unsigned first, last;
	enum db_error_class class;
} classes[] = {
	/* Another transaction was faster: this one is rolled back, and runs again. */
	{ 1020, 1020, DB_ERROR_CONFLICT }, /* CHECKREAD: a row changed since the snapshot */
	{ 1180, 1180, DB_ERROR_CONFLICT }, /* ERROR_DURING_COMMIT: a cluster did not certify it */
	{ 1205, 1205, DB_ERROR_CONFLICT }, /* LOCK_WAIT_TIMEOUT */
	{ 1213, 1213, DB_ERROR_CONFLICT }, /* LOCK_DEADLOCK */
	{ 1412, 1412, DB_ERROR_CONFLICT }, /* TABLE_DEF_CHANGED */
	{ 1613, 1614, DB_ERROR_CONFLICT }, /* XA_RBTIMEOUT, XA_RBDEADLOCK */
	{ 1615, 1615, DB_ERROR_CONFLICT }, /* NEED_REPREPARE */
	{ 1689, 1689, DB_ERROR_CONFLICT }, /* LOCK_ABORTED */
	{ 3101, 3101, DB_ERROR_CONFLICT }, /* TRANSACTION_ROLLBACK_DURING_COMMIT: a group did not certify it */
	{ 3572, 3572, DB_ERROR_CONFLICT }, /* LOCK_NOWAIT */
	{ 9007, 9007, DB_ERROR_CONFLICT }, /* a write conflict of TiDB */

	{ 1062, 1062, DB_ERROR_DUPLICATE },
	{ 1586, 1586, DB_ERROR_DUPLICATE },

	/* The server is overloaded, or has no space, which passes. */
	{ 1021, 1021, DB_ERROR_PASSES }, /* DISK_FULL */
	{ 1037, 1038, DB_ERROR_PASSES }, /* OUTOFMEMORY, OUT_OF_SORTMEMORY */
	{ 1041, 1041, DB_ERROR_PASSES }, /* OUT_OF_RESOURCES */
	{ 1114, 1114, DB_ERROR_PASSES }, /* RECORD_FILE_FULL */
	{ 1135, 1135, DB_ERROR_PASSES }, /* CANT_CREATE_THREAD */
	{ 1206, 1206, DB_ERROR_PASSES }, /* LOCK_TABLE_FULL */
	{ 1223, 1223, DB_ERROR_PASSES }, /* CANT_UPDATE_WITH_READLOCK */
	{ 1226, 1226, DB_ERROR_PASSES }, /* USER_LIMIT_REACHED */
	{ 1461, 1461, DB_ERROR_PASSES }, /* MAX_PREPARED_STMT_COUNT_REACHED */
	{ 1637, 1637, DB_ERROR_PASSES }, /* TOO_MANY_CONCURRENT_TRXS */
	{ 1969, 1969, DB_ERROR_PASSES }, /* STATEMENT_TIMEOUT of MariaDB */
	{ 3024, 3024, DB_ERROR_PASSES }, /* QUERY_TIMEOUT of MySQL */
	{ 9001, 9006, DB_ERROR_PASSES }, /* a proxy, or TiDB, found no server in time */

	/* This connection, and perhaps this host, cannot be used any more: the next host is tried. */
	{ 1040, 1040, DB_ERROR_NEXT_HOST }, /* CON_COUNT */
	{ 1047, 1047, DB_ERROR_NEXT_HOST }, /* UNKNOWN_COM: a node of Galera without a quorum */
	{ 1053, 1053, DB_ERROR_NEXT_HOST }, /* SERVER_SHUTDOWN */
	{ 1079, 1080, DB_ERROR_NEXT_HOST }, /* SHUTDOWN_COMPLETE, FORCING_CLOSE */
	{ 1152, 1152, DB_ERROR_NEXT_HOST }, /* ABORTING_CONNECTION */
	{ 1156, 1161, DB_ERROR_NEXT_HOST }, /* NET_…: packets that are out of order, or late */
	{ 1184, 1184, DB_ERROR_NEXT_HOST }, /* NEW_ABORTING_CONNECTION */
	{ 1203, 1203, DB_ERROR_NEXT_HOST }, /* TOO_MANY_USER_CONNECTIONS */
	{ 1243, 1243, DB_ERROR_NEXT_HOST }, /* UNKNOWN_STMT_HANDLER: a proxy moved the connection */
	{ 1290, 1290, DB_ERROR_NEXT_HOST }, /* OPTION_PREVENTS_STATEMENT: read_only */
	{ 1317, 1317, DB_ERROR_NEXT_HOST }, /* QUERY_INTERRUPTED: MySQL says so before it ends a connection */
	{ 1792, 1792, DB_ERROR_NEXT_HOST }, /* CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
	{ 1836, 1836, DB_ERROR_NEXT_HOST }, /* READ_ONLY_MODE */
	{ 1927, 1927, DB_ERROR_NEXT_HOST }, /* CONNECTION_KILLED */
	{ 2000, 2999, DB_ERROR_NEXT_HOST }, /* of the client library: the connection broke */
	{ 3032, 3032, DB_ERROR_NEXT_HOST }, /* SERVER_OFFLINE_MODE */
	{ 3100, 3100, DB_ERROR_NEXT_HOST }, /* RUN_HOOK_ERROR: a group that the server has left */
	{ 4031, 4031, DB_ERROR_NEXT_HOST }, /* CLIENT_INTERACTION_TIMEOUT: it idled for too long */
};

enum db_error_class db_error_class(unsigned number)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (number >= classes[i].first && number <= classes[i].last)
			return classes[i].class;
	return DB_ERROR_BUG;
}
