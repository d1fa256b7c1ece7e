#include "store/db_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

#define WAIT_STEP_MS 100

#ifdef MARIADB_BASE_VERSION

void db_wait_set_up(const struct db *db)
{
	if (db->meanwhile != NULL)
		mysql_options(db->mysql, MYSQL_OPT_NONBLOCK, NULL);
}

/* Returns how long the library may wait. Over TLS it asks for no timeout, so the timeout is read from its options. */
static int64_t timeout_us(const struct db *db, int events)
{
	unsigned seconds = 0;

	if ((events & MYSQL_WAIT_TIMEOUT) != 0)
		return mysql_get_timeout_value_ms(db->mysql) * US_PER_MS;
	if (mysql_get_optionv(db->mysql, MYSQL_OPT_READ_TIMEOUT, &seconds) != 0 || seconds == 0)
		return INT64_MAX / 2;
	return seconds * US_PER_SECOND;
}

/* Waits for the events that the client library asks for. Returns the events that came, or MYSQL_WAIT_TIMEOUT. If the
 * library asks for no timeout, it ignores MYSQL_WAIT_TIMEOUT; then the connection is shut down instead. */
static int wait_for(const struct db *db, int events)
{
	bool may_read = (events & MYSQL_WAIT_READ) != 0, may_write = (events & MYSQL_WAIT_WRITE) != 0;
	struct pollfd fd = {
		.fd = mysql_get_socket(db->mysql),
		.events = (short)((may_read ? POLLIN : 0) | (may_write ? POLLOUT : 0)),
	};
	int64_t until_us = clock_mono_us() + timeout_us(db, events);

	while (poll(&fd, 1, 0) == 0) {
		if (clock_mono_us() >= until_us && (events & MYSQL_WAIT_TIMEOUT) != 0)
			return MYSQL_WAIT_TIMEOUT;
		if (clock_mono_us() >= until_us) {
			shutdown(fd.fd, SHUT_RDWR);
			break;
		}
		db->meanwhile(db->meanwhile_context, may_write ? -1 : fd.fd, may_write ? 1 : WAIT_STEP_MS);
	}
	return events & ~MYSQL_WAIT_TIMEOUT;
}

/* Over TLS the library blocks in the system if the socket blocks. All its other functions need a socket that blocks. */
static void block_tls(const struct db *db, bool block)
{
	int fd = mysql_get_socket(db->mysql), flags;

	if (mysql_get_ssl_cipher(db->mysql) == NULL)
		return;
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, block ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

bool db_wait_execute(struct db *db, MYSQL_STMT *stmt)
{
	int failed, events;

	if (db->meanwhile == NULL)
		return mysql_stmt_execute(stmt) == 0;
	block_tls(db, false);
	events = mysql_stmt_execute_start(&failed, stmt);
	while (events != 0)
		events = mysql_stmt_execute_cont(&failed, stmt, wait_for(db, events));
	block_tls(db, true);
	return failed == 0;
}

bool db_wait_store(struct db *db, MYSQL_STMT *stmt)
{
	int failed, events;

	if (db->meanwhile == NULL)
		return mysql_stmt_store_result(stmt) == 0;
	block_tls(db, false);
	events = mysql_stmt_store_result_start(&failed, stmt);
	while (events != 0)
		events = mysql_stmt_store_result_cont(&failed, stmt, wait_for(db, events));
	block_tls(db, true);
	return failed == 0;
}

bool db_wait_commit(struct db *db)
{
	my_bool failed;
	int events;

	if (db->meanwhile == NULL)
		return mysql_commit(db->mysql) == 0;
	block_tls(db, false);
	events = mysql_commit_start(&failed, db->mysql);
	while (events != 0)
		events = mysql_commit_cont(&failed, db->mysql, wait_for(db, events));
	block_tls(db, true);
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
