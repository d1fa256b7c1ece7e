#include "store/db_connection.h"

#include <poll.h>

#include "base/clock.h"

#define WAIT_STEP_MS 100

#ifdef MARIADB_BASE_VERSION

void db_wait_set_up(const struct db *db)
{
	if (db->meanwhile != NULL)
		mysql_options(db->mysql, MYSQL_OPT_NONBLOCK, NULL);
}

/* Waits for the events that the client library asks for. Returns those that came, or MYSQL_WAIT_TIMEOUT. */
static int wait_for(const struct db *db, int events)
{
	bool may_read = (events & MYSQL_WAIT_READ) != 0, may_write = (events & MYSQL_WAIT_WRITE) != 0;
	struct pollfd fd = {
		.fd = mysql_get_socket(db->mysql),
		.events = (short)((may_read ? POLLIN : 0) | (may_write ? POLLOUT : 0)),
	};
	int64_t until_us = INT64_MAX;

	if ((events & MYSQL_WAIT_TIMEOUT) != 0)
		until_us = clock_mono_us() + mysql_get_timeout_value_ms(db->mysql) * US_PER_MS;
	while (poll(&fd, 1, 0) == 0) {
		if (clock_mono_us() >= until_us)
			return MYSQL_WAIT_TIMEOUT;
		db->meanwhile(db->meanwhile_context, may_write ? -1 : fd.fd, may_write ? 1 : WAIT_STEP_MS);
	}
	return events & ~MYSQL_WAIT_TIMEOUT;
}

bool db_wait_execute(struct db *db, MYSQL_STMT *stmt)
{
	int failed, events;

	if (db->meanwhile == NULL)
		return mysql_stmt_execute(stmt) == 0;
	events = mysql_stmt_execute_start(&failed, stmt);
	while (events != 0)
		events = mysql_stmt_execute_cont(&failed, stmt, wait_for(db, events));
	return failed == 0;
}

bool db_wait_store(struct db *db, MYSQL_STMT *stmt)
{
	int failed, events;

	if (db->meanwhile == NULL)
		return mysql_stmt_store_result(stmt) == 0;
	events = mysql_stmt_store_result_start(&failed, stmt);
	while (events != 0)
		events = mysql_stmt_store_result_cont(&failed, stmt, wait_for(db, events));
	return failed == 0;
}

bool db_wait_commit(struct db *db)
{
	my_bool failed;
	int events;

	if (db->meanwhile == NULL)
		return mysql_commit(db->mysql) == 0;
	events = mysql_commit_start(&failed, db->mysql);
	while (events != 0)
		events = mysql_commit_cont(&failed, db->mysql, wait_for(db, events));
	return failed == 0;
}

#else /* the other client library cannot wait for the answer of a prepared statement while it does something else */

void db_wait_set_up(const struct db *db)
{
	(void)db;
}

bool db_wait_execute(struct db *db, MYSQL_STMT *stmt)
{
	(void)db;
	return mysql_stmt_execute(stmt) == 0;
}

bool db_wait_store(struct db *db, MYSQL_STMT *stmt)
{
	(void)db;
	return mysql_stmt_store_result(stmt) == 0;
}

bool db_wait_commit(struct db *db)
{
	return mysql_commit(db->mysql) == 0;
}

#endif

void db_do_meanwhile(struct db *db, db_meanwhile *meanwhile, void *context)
{
	db->meanwhile = meanwhile;
	db->meanwhile_context = context;
}
