#include "store/db_connection.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define IDLE_TRANSACTION_S 5 /* a process that is stopped inside a transaction keeps its locks no longer */

/* Returns a cell of a SHOW statement's result, by the name in the first column; NULL: there is no such row. */
static const char *shown(const MYSQL_RES *answer, MYSQL_ROW row, const char *name)
{
	return answer != NULL && row != NULL && strcasecmp(row[0], name) == 0 ? row[1] : NULL;
}

static bool is_on(const char *value)
{
	return value != NULL && strcasecmp(value, "OFF") != 0 && strcmp(value, "0") != 0;
}

struct host_facts {
	bool read_only, wsrep_on, wsrep_ready, writes_everywhere;
};

static enum db_result ask_facts(struct db *db, const char *sql, struct host_facts *facts)
{
	MYSQL_RES *answer;
	MYSQL_ROW row;

	DB_TRY(db_run_text(db, sql));
	answer = mysql_store_result(db->mysql);
	while (answer != NULL && (row = mysql_fetch_row(answer)) != NULL) {
		const char *many = shown(answer, row, "group_replication_single_primary_mode");

		facts->read_only |= is_on(shown(answer, row, "read_only")) || is_on(shown(answer, row, "innodb_read_only"));
		facts->wsrep_on |= is_on(shown(answer, row, "wsrep_on"));
		facts->wsrep_ready |= is_on(shown(answer, row, "wsrep_ready"));
		facts->writes_everywhere |= many != NULL && !is_on(many);
	}
	mysql_free_result(answer);
	return DB_OK;
}

/* A node of Galera applies the commits of other nodes a little later. So a new connection waits until the node has
 * applied all commits. Otherwise a change that was answered before a fail-over could seem to be missing. */
static enum db_result see_all_commits(struct db *db)
{
	DB_TRY(db_run_text(db, "SET SESSION wsrep_sync_wait = 1"));
	DB_TRY(db_run_text(db, "SELECT 1"));
	mysql_free_result(mysql_store_result(db->mysql));
	return db_run_text(db, "SET SESSION wsrep_sync_wait = DEFAULT");
}

/* Finds out whether the host takes writes. A replica, a node without a quorum, and a former primary accept connections
 * but no writes. */
static enum db_result look_at_host(struct db *db)
{
	struct host_facts facts = { .read_only = false };

	DB_TRY(ask_facts(db,
	                 "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'innodb_read_only', 'wsrep_on',"
	                 " 'group_replication_single_primary_mode')",
	                 &facts));
	if (facts.wsrep_on)
		DB_TRY(ask_facts(db, "SHOW GLOBAL STATUS LIKE 'wsrep_ready'", &facts));
	db->locks_are_local = facts.wsrep_on || facts.writes_everywhere;
	if (facts.wsrep_on && !facts.wsrep_ready) {
		strcpy(db->error, "this node of the cluster is not ready");
		return DB_LOST;
	}
	if (facts.wsrep_on)
		DB_TRY(see_all_commits(db));
	db->is_writer = !facts.read_only && !db->is_reader;
	return DB_OK;
}

static enum db_result set_up_session(struct db *db)
{
	char text[192];
	static const char session[] =
		/* The connection has this parameter too, but a server may be configured to ignore it. */
		"SET NAMES utf8mb4, SESSION time_zone = '+00:00',"
		/* A difference of two counters may be below zero, and the statement must not fail then. */
		" sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_UNSIGNED_SUBTRACTION',"
		" group_concat_max_len = 1048576,"
		/* Settings that an administrator may have changed for all sessions, and that would change what statements do.
		 */
		" autocommit = 1, completion_type = 0, sql_safe_updates = 0, sql_big_selects = 1, sql_auto_is_null = 0,"
		" sql_select_limit = 18446744073709551615,"
		/* A host that vanishes inside a transaction keeps its locks no longer than this. */
		" wait_timeout = 60"
		/* From MariaDB 11.6 on a locking read would fail where it meets a row that changed since the statement began.
	     */
		"/*M!110602 , innodb_snapshot_isolation = OFF */"
		/* MySQL underestimates the cost of a skip scan: it read the calls to all numbers instead of one number. */
		"/*!80013 , optimizer_switch = 'skip_scan=off' */";

	/* Only MariaDB can end a transaction before it ends a connection that is idle. */
	snprintf(text, sizeof text,
	         "SET SESSION innodb_lock_wait_timeout = %u, lock_wait_timeout = %u"
	         "/*M!100300 , idle_transaction_timeout = %u */",
	         db_waits()->lock_s, db_waits()->lock_s, db_patience() == DB_FOR_PEOPLE ? 0 : IDLE_TRANSACTION_S);
	DB_TRY(db_run_text(db, session));
	DB_TRY(db_run_text(db, text));
	return db_run_text(db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE");
}

enum db_result db_begin_session(struct db *db)
{
	DB_TRY(look_at_host(db));
	return set_up_session(db);
}
