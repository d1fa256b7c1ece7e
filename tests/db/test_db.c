/* The connection: transactions that succeed or fail, losses, deadlocks, and values that went through the database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "fixture.h"
#include "store/db_connection.h"

#define ORGANIZATIONS 4

/* The test writes to and locks the table of organisations; any table would do. */
struct play {
	struct fixture *fixture;
	char names[ORGANIZATIONS][UUID_TEXT];
	int runs;
	enum db_result answer;
	int lose_in_run; /* 0: in none */
};

static enum db_result add(struct db *db, const char *name)
{
	struct uuid id = uuid_new();

	return db_exec(db, SQL_ORGANIZATION_ENSURE, DB_ARGS(db_uuid(&id), db_text(name), db_instant(clock_now_us())));
}

static int64_t count(const struct play *play)
{
	return ask("SELECT COUNT(*) FROM organizations WHERE name = '%s'", play->names[0]);
}

static struct play new_play(void **state)
{
	struct play play = { .fixture = *state, .answer = DB_OK };

	for (int i = 0; i < ORGANIZATIONS; i++) {
		struct uuid id = uuid_new();

		uuid_format(&id, play.names[i]);
	}
	return play;
}

/* Ends the connection as an administrator would. */
static void cut_connection(struct db *db)
{
	db_run_text(db, "KILL CONNECTION_ID()");
}

static enum db_result work(struct db *db, void *context)
{
	struct play *play = context;

	play->runs++;
	DB_TRY(add(db, play->names[0]));
	if (play->runs == play->lose_in_run) {
		cut_connection(db);
		return add(db, play->names[1]);
	}
	return play->runs == 1 ? play->answer : DB_OK;
}

static void work_that_succeeds_is_kept(void **state)
{
	struct play play = new_play(state);

	assert_ok(db_transact(play.fixture->db, DB_ONCE, work, &play));
	assert_int_equal(play.runs, 1);
	assert_int_equal(count(&play), 1);
}

static void refused_work_is_undone(void **state)
{
	static const enum db_result answers[] = { DB_REFUSED, DB_NOT_FOUND, DB_DUPLICATE, DB_ERROR };

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct play play = new_play(state);

		play.answer = answers[i];
		assert_int_equal(db_transact(play.fixture->db, DB_ONCE, work, &play), answers[i]);
		assert_int_equal(play.runs, 1);
		assert_int_equal(count(&play), 0);
	}
}

static void a_conflict_is_run_again(void **state)
{
	struct play play = new_play(state);

	play.answer = DB_CONFLICT;
	assert_ok(db_transact(play.fixture->db, DB_ONCE, work, &play));
	assert_int_equal(play.runs, 2);
	assert_int_equal(count(&play), 1);
}

static enum db_result note_nothing_of_it(struct db *db, void *context)
{
	(void)context;
	db_note(db, "a note of a rehearsal");
	return DB_OK;
}

static enum db_result note_every_run(struct db *db, void *context)
{
	struct play *play = context;

	play->runs++;
	db_note(db, "a note of run %d", play->runs);
	DB_TRY(db_rehearse(db, note_nothing_of_it, NULL));
	return play->runs == 1 ? play->answer : DB_OK;
}

/* Returns how many lines of the file contain the text. */
static int lines_with(FILE *file, const char *text)
{
	char line[1000];
	int count = 0;

	rewind(file);
	while (fgets(line, sizeof line, file) != NULL)
		count += strstr(line, text) != NULL;
	return count;
}

static void only_notes_of_kept_work_are_logged(void **state)
{
	struct play play = new_play(state);
	int standard_error = dup(STDERR_FILENO);
	FILE *log = tmpfile();

	play.answer = DB_CONFLICT;
	assert_non_null(log);
	dup2(fileno(log), STDERR_FILENO);
	assert_ok(db_transact(play.fixture->db, DB_ONCE, note_every_run, &play));
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	assert_int_equal(play.runs, 2);
	assert_int_equal(lines_with(log, "a note of"), 1);
	assert_int_equal(lines_with(log, "a note of run 2"), 1);
	fclose(log);
}

static void a_connection_lost_in_the_middle_is_made_again(void **state)
{
	struct play play = new_play(state);

	play.lose_in_run = 1;
	assert_ok(db_transact(play.fixture->db, DB_ONCE, work, &play));
	assert_int_equal(play.runs, 2);
	assert_int_equal(count(&play), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM organizations WHERE name = '%s'", play.names[1]), 0);
}

static enum db_result lose_at_the_end(struct db *db, void *context)
{
	struct play *play = context;
	int64_t connection;

	DB_TRY(add(db, play->names[0]));
	DB_TRY(db_query_int(db, SQL_MIGRATE_CONNECTION, DB_NO_ARGS, &connection));
	if (play->runs++ == 0)
		ask("KILL %lld", (long long)connection); /* the COMMIT meets a connection that is gone */
	return DB_OK;
}

static void a_lost_commit_is_unknown_or_run_again(void **state)
{
	for (int repeatable = 0; repeatable < 2; repeatable++) {
		struct play play = new_play(state);

		assert_int_equal(db_transact(play.fixture->db, repeatable ? DB_REPEATABLE : DB_ONCE, lose_at_the_end, &play),
		                 repeatable ? DB_OK : DB_UNKNOWN);
		assert_int_equal(play.runs, 1 + repeatable);
		assert_int_equal(count(&play), repeatable);
	}
}

/* The first COMMIT is not answered, and each later run loses its connection. */
static enum db_result lose_ever_after(struct db *db, void *context)
{
	struct play *play = context;

	if (play->runs == 0)
		return lose_at_the_end(db, play);
	cut_connection(db);
	return add(db, play->names[0]);
}

static void a_lost_commit_stays_unknown_when_the_database_is_lost(void **state)
{
	struct play play = new_play(state);

	assert_int_equal(db_transact_briefly(play.fixture->db, DB_REPEATABLE, lose_ever_after, &play), DB_UNKNOWN);
}

static void a_query_outside_transactions_survives_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct db_rows rows;

	assert_ok(db_query(fixture->db, SQL_SCHEMA_VERSION, DB_NO_ARGS, fixture->arena, &rows));
	cut_connection(fixture->db);
	assert_ok(db_query(fixture->db, SQL_SCHEMA_VERSION, DB_NO_ARGS, fixture->arena, &rows));
}

static void without_a_server_every_result_is_lost(void **state)
{
	static const char nowhere[] = "[outdial]\nsocket = /nonexistent/database.sock\n";
	char path[] = "/tmp/outdial-nowhere-XXXXXX";
	struct play play = new_play(state);
	int file = mkstemp(path);
	struct db_rows rows;
	struct db *db;

	assert_int_equal(write(file, nowhere, sizeof nowhere - 1), (int)sizeof nowhere - 1);
	close(file);
	db = db_new(path);

	assert_int_equal(db_ready(db), DB_LOST);
	assert_int_equal(db_query(db, SQL_SCHEMA_VERSION, DB_NO_ARGS, play.fixture->arena, &rows), DB_LOST);
	assert_int_equal(rows.count, 0);
	assert_int_equal(db_exec(db, SQL_PURGE_BATCH, DB_ARGS(db_int(0))), DB_LOST);
	assert_int_equal(db_transact(db, DB_ONCE, work, &play), DB_LOST);
	assert_int_equal(play.runs, 0);
	db_free(db);
	unlink(path);
}

static enum db_result lock_crosswise(struct db *db, void *context)
{
	struct play *play = context;
	bool child = play->runs != 0;

	for (int i = 0; i < ORGANIZATIONS; i++) {
		DB_TRY(add(db, play->names[child ? ORGANIZATIONS - 1 - i : i]));
		usleep(1000);
	}
	return DB_OK;
}

static enum db_result deadlock_often(struct db *db, struct play *play)
{
	for (int i = 0; i < 50; i++)
		DB_TRY(db_transact(db, DB_ONCE, lock_crosswise, play));
	return DB_OK;
}

static void deadlocks_pass(void **state)
{
	struct play play = new_play(state);
	int status;
	pid_t child = fork();

	if (child == 0) {
		play.runs = 1;
		_exit(deadlock_often(db_new(fixture_option_file()), &play) == DB_OK ? 0 : 1);
	}
	assert_ok(deadlock_often(play.fixture->db, &play));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static enum db_result lock_health(struct fixture *fixture, struct db *db, const char *ids, struct db_rows *rows)
{
	return db_query(db, SQL_HEALTH_LOCK, DB_ARGS(db_text(ids)), fixture->arena, rows);
}

/* The wait for a lock ends without success when the first row has been sent already. */
static void an_answer_that_breaks_off_is_over(void **state)
{
	struct fixture *fixture = *state;
	struct db *other = db_new(fixture_option_file());
	int64_t id = fixture->organization_id * 1000000, begun_us;
	char both[64], second[32];
	struct db_rows rows;

	for (int i = 0; i < 2; i++)
		ask("INSERT INTO endpoint_health (endpoint_id, doubtful, next_at, failures, failing_since, open_until, "
		    "probe_until,"
		    " trial_until, hold_until) VALUES (%lld, 0, NOW(), 0, NOW(), NOW(), NOW(), NOW(), NOW())",
		    (long long)id + i);
	snprintf(both, sizeof both, "[%lld, %lld]", (long long)id, (long long)id + 1);
	snprintf(second, sizeof second, "[%lld]", (long long)id + 1);
	assert_ok(db_ready(other));
	assert_ok(db_run_text(other, "START TRANSACTION"));
	assert_ok(lock_health(fixture, other, second, &rows));
	assert_ok(db_run_text(fixture->db, "SET SESSION innodb_lock_wait_timeout = 1"));
	begun_us = clock_mono_us();
	assert_int_equal(lock_health(fixture, fixture->db, both, &rows), DB_CONFLICT);
	db_free(other);
	assert_ok(lock_health(fixture, fixture->db, both, &rows));
	assert_int_equal(rows.count, 2);
	assert_in_range(clock_mono_us() - begun_us, 0, 20 * US_PER_SECOND);
	ask("DELETE FROM endpoint_health WHERE endpoint_id BETWEEN %lld AND %lld", (long long)id, (long long)id + 1);
}

/* The session of another process. It has locked the name, and releases it at the look `let_go_at`. */
struct locked_name {
	struct db *other;
	int looks, let_go_at;
};

static void look(void *context, int fd, int wait_ms)
{
	struct locked_name *name = context;

	assert_true(fd >= 0 && wait_ms > 0);
	if (++name->looks == name->let_go_at)
		assert_ok(db_run_text(name->other, "ROLLBACK"));
}

static struct locked_name lock_name(const struct play *play, int let_go_at)
{
	struct locked_name name = { .other = db_new(fixture_option_file()), .let_go_at = let_go_at };

	assert_ok(db_ready(name.other));
	assert_ok(db_run_text(name.other, "START TRANSACTION"));
	assert_ok(add(name.other, play->names[0]));
	return name;
}

/* Writes an option file for connections with TLS. */
static const char *write_tls_file(void)
{
	static char path[32];
	FILE *from = fopen(fixture_option_file(), "r"), *to;
	char line[1024];

	assert_non_null(from);
	strcpy(path, "/tmp/outdial-test-XXXXXX");
	to = fdopen(mkstemp(path), "w");
	assert_non_null(to);
	while (fgets(line, sizeof line, from) != NULL)
		fputs(line, to);
	fputs("ssl-enforce = 1\n", to);
	fclose(from);
	fclose(to);
	return path;
}

static void work_while_an_answer_is_awaited(const struct play *play, const char *option_file, bool tls)
{
	struct locked_name name = lock_name(play, 3);
	struct db *db = db_new(option_file);

	db_do_meanwhile(db, look, &name);
	assert_ok(db_ready(db));
	assert_int_equal(mysql_get_ssl_cipher(db->mysql) != NULL, tls);
	assert_ok(db_transact(db, DB_ONCE, work, (void *)play));
	assert_true(name.looks >= 3);
	assert_int_equal(count(play), 1);
	db_free(db);
	db_free(name.other);
}

static void other_work_goes_on_while_an_answer_is_awaited(void **state)
{
	struct play plain = new_play(state), encrypted = new_play(state);
	const char *file = write_tls_file();

	work_while_an_answer_is_awaited(&plain, fixture_option_file(), false);
	work_while_an_answer_is_awaited(&encrypted, file, true);
	unlink(file);
}

static void wait_in_vain(const struct play *play, const char *option_file)
{
	struct locked_name name = lock_name(play, -1);
	struct db *db = db_new(option_file);

	db->only_looks = true; /* its statements may take a second */
	db_do_meanwhile(db, look, &name);
	assert_ok(db_ready(db));
	assert_int_equal(add(db, play->names[0]), DB_LOST);
	assert_true(name.looks > 0);
	db_free(db);
	db_free(name.other);
}

/* Without it, other work would go on for ever. */
static void an_answer_is_awaited_no_longer_than_without_other_work(void **state)
{
	struct play play = new_play(state);
	const char *file = write_tls_file();

	wait_in_vain(&play, fixture_option_file());
	wait_in_vain(&play, file);
	unlink(file);
}

/* Other processes need the locks of a process that was stopped inside a transaction. */
static void a_transaction_without_statements_ends_soon(void **state)
{
	struct play play = new_play(state);
	struct locked_name name;
	struct db *db;

	if (ask("SELECT VERSION() LIKE '%%MariaDB%%'") == 0)
		skip();
	name = lock_name(&play, -1);
	db = db_new(fixture_option_file());
	assert_ok(db_transact(db, DB_ONCE, work, &play));
	assert_int_equal(db_run_text(name.other, "COMMIT"), DB_LOST);
	assert_int_equal(count(&play), 1);
	db_free(db);
	db_free(name.other);
}

static void the_session_has_its_settings(void **state)
{
	struct fixture *fixture = *state;

	assert_ok(db_ready(fixture->db));
	cut_connection(fixture->db);
	assert_ok(db_ready(fixture->db));
	/* strict, UTC, READ COMMITTED: these differ from the server's defaults */
	assert_ok(db_run_text(fixture->db, "DO IF(@@SESSION.time_zone = '+00:00', 0, (SELECT 1 UNION SELECT 2))"));
	assert_ok(db_run_text(fixture->db,
	                      "DO IF(@@SESSION.sql_mode LIKE '%STRICT_ALL_TABLES%', 0, (SELECT 1 UNION SELECT 2))"));
	/* MariaDB 11.6 would have it ON */
	assert_ok(db_run_text(
		fixture->db, "DO 0 /*M!110602 + IF(@@SESSION.innodb_snapshot_isolation = 0, 0, (SELECT 1 UNION SELECT 2)) */"));
	assert_ok(db_run_text(fixture->db,
	                      "DO IF(@@SESSION.sql_mode LIKE '%NO_UNSIGNED_SUBTRACTION%', 0, (SELECT 1 UNION SELECT 2))"));
	/* the locks of a host that vanished are free again after a minute */
	assert_ok(db_run_text(fixture->db, "DO IF(@@SESSION.wait_timeout = 60, 0, (SELECT 1 UNION SELECT 2))"));
}

static void instants_come_back_as_they_went(void **state)
{
	static const int64_t instants[] = { INSTANT_NONE, INSTANT_NEVER, 0, 1, 999999, -1, 1780300800123456 };
	struct play play = new_play(state);

	for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
		char expected[32];

		instant_format_sql(instants[i], expected);
		assert_ok(db_exec(play.fixture->db, SQL_ORGANIZATION_ENSURE,
		                  DB_ARGS(db_uuid(&(struct uuid){ { (uint8_t)i, (uint8_t)clock_mono_us(),
		                                                    (uint8_t)(clock_mono_us() >> 8), (uint8_t)getpid() } }),
		                          db_text(expected), db_instant(instants[i]))));
		assert_int_equal(ask("SELECT created_at = '%s' FROM organizations WHERE name = '%s'", expected, expected), 1);
	}
}

static enum db_result lose_the_transaction(struct db *db, void *context)
{
	struct play *play = context;

	play->runs++;
	DB_TRY(add(db, play->names[0]));
	if (play->runs == 1)
		assert_ok(db_run_text(db, "ROLLBACK")); /* as a cluster does, without an error */
	if (play->answer == DB_OK)
		DB_TRY(add(db, play->names[1]));
	else
		DB_TRY(db_exec(db, SQL_ORGANIZATION_SET_LIMITS,
		               DB_ARGS(db_int(play->fixture->organization_id), db_text("[]"), db_int(play->runs),
		                       db_instant(clock_now_us()), db_text("[]"), db_int(play->runs),
		                       db_instant(clock_now_us()))));
	return DB_OK;
}

/* No later statement is committed by itself, neither a statement that is prepared already nor a new one. */
static void a_transaction_that_was_given_up_is_run_again(void **state)
{
	for (int prepared = 0; prepared < 2; prepared++) {
		struct play play = new_play(state);

		play.answer = prepared ? DB_OK : DB_ERROR;
		assert_ok(db_transact(play.fixture->db, DB_ONCE, lose_the_transaction, &play));
		assert_int_equal(play.runs, 2);
		assert_int_equal(count(&play), 1);
	}
	assert_int_equal(ask("SELECT rest_hours FROM contact_limits WHERE organization_id = %lld",
	                     (long long)((struct fixture *)*state)->organization_id),
	                 2);
}

static enum db_result lose_it_last(struct db *db, void *context)
{
	struct play *play = context;

	DB_TRY(add(db, play->names[0]));
	if (play->runs++ == 0)
		assert_ok(db_run_text(db, "ROLLBACK"));
	return DB_OK;
}

static void a_transaction_that_was_given_up_at_its_end_is_run_again(void **state)
{
	struct play play = new_play(state);

	assert_ok(db_transact(play.fixture->db, DB_ONCE, lose_it_last, &play));
	assert_int_equal(play.runs, 2);
	assert_int_equal(count(&play), 1);
}

static enum db_result lose_it_and_prepare(struct db *db, void *context)
{
	struct play *play = context;

	if (play->runs++ > 0)
		return DB_REFUSED;
	assert_ok(db_run_text(db, "ROLLBACK"));
	return db_exec(db, SQL_ORGANIZATION_ENSURE,
	               DB_ARGS(db_uuid(&(struct uuid){ { 1 } }), db_text(play->names[0]), db_instant(clock_now_us())));
}

static void no_statement_runs_after_the_end_of_its_transaction(void **state)
{
	struct play play = new_play(state);
	struct db *db = db_new(fixture_option_file());

	assert_int_equal(db_transact(db, DB_ONCE, lose_it_and_prepare, &play), DB_REFUSED);
	assert_int_equal(count(&play), 0);
	db_free(db);
}

static enum db_result guard_limits(struct db *db, void *context)
{
	return db_guard(db, GUARD_LIMITS, *(int64_t *)context);
}

static void a_guard_is_a_write_where_locks_are_local(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = fixture->organization_id;

	assert_ok(db_ready(fixture->db));
	for (int local = 0; local < 2; local++) {
		fixture->db->locks_are_local = local != 0;
		for (int i = 0; i < 2; i++)
			assert_ok(db_transact(fixture->db, DB_ONCE, guard_limits, &id));
		assert_int_equal(ask("SELECT turn FROM guards WHERE kind = %d AND id = %lld", GUARD_LIMITS, (long long)id),
		                 local * 2);
	}
	fixture->db->locks_are_local = false;
}

static void numbers_of_errors_have_classes(void **state)
{
	static const struct {
		unsigned number;
		enum db_result result;
	} cases[] = {
		{ 1047, DB_LOST },     { 1836, DB_LOST },     { 1290, DB_LOST },      { 3100, DB_LOST },
		{ 3032, DB_LOST },     { 1969, DB_LOST },     { 3024, DB_LOST },      { 9001, DB_LOST },
		{ 2013, DB_LOST },     { 1021, DB_LOST },     { 1180, DB_CONFLICT },  { 3101, DB_CONFLICT },
		{ 1213, DB_CONFLICT }, { 1205, DB_CONFLICT }, { 1062, DB_DUPLICATE }, { 1054, DB_ERROR },
		{ 1146, DB_ERROR },    { 1064, DB_ERROR },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(db_classify(fixture->db, "a test", cases[i].number, "as a test"), cases[i].result);
}

/* An error that passes does not drop the connection. */
static void a_connection_outlives_errors_that_pass(void **state)
{
	struct fixture *fixture = *state;

	assert_ok(db_ready(fixture->db));
	assert_int_equal(db_classify(fixture->db, "a test", 1021, "the disk is full"), DB_LOST);
	assert_true(db_takes_writes(fixture->db));
	assert_int_equal(db_classify(fixture->db, "a test", 1836, "read only"), DB_LOST);
	assert_false(db_takes_writes(fixture->db));
}

static void a_list_of_hosts_is_read(void **state)
{
	struct db_hosts hosts;

	(void)state;
	assert_null(db_hosts_parse("db1, db2:3307 ,[2001:db8::1]:3308,[::1],/run/s.sock", &hosts));
	assert_int_equal(hosts.count, 5);
	assert_string_equal(hosts.list[0].name, "db1");
	assert_int_equal(hosts.list[0].port, 0);
	assert_string_equal(hosts.list[1].name, "db2");
	assert_int_equal(hosts.list[1].port, 3307);
	assert_string_equal(hosts.list[2].name, "2001:db8::1");
	assert_int_equal(hosts.list[2].port, 3308);
	assert_string_equal(hosts.list[3].name, "::1");
	assert_string_equal(hosts.list[4].name, "/run/s.sock");
	assert_non_null(db_hosts_parse("db1,", &hosts));
	assert_non_null(db_hosts_parse(",db1", &hosts));
	assert_non_null(db_hosts_parse("db1:0,db2", &hosts));
	assert_non_null(db_hosts_parse("db1:70000,db2", &hosts));
	assert_non_null(db_hosts_parse("db1:x,db2", &hosts));
	assert_non_null(db_hosts_parse("[::1,db2", &hosts));
	assert_non_null(db_hosts_parse("[::1]x,db2", &hosts));
	assert_non_null(db_hosts_parse("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", &hosts));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(work_that_succeeds_is_kept),
		FIXTURE_TEST(refused_work_is_undone),
		FIXTURE_TEST(a_conflict_is_run_again),
		FIXTURE_TEST(only_notes_of_kept_work_are_logged),
		FIXTURE_TEST(a_connection_lost_in_the_middle_is_made_again),
		FIXTURE_TEST(a_lost_commit_is_unknown_or_run_again),
		FIXTURE_TEST(a_lost_commit_stays_unknown_when_the_database_is_lost),
		FIXTURE_TEST(a_query_outside_transactions_survives_a_restart),
		FIXTURE_TEST(without_a_server_every_result_is_lost),
		FIXTURE_TEST(deadlocks_pass),
		FIXTURE_TEST(an_answer_that_breaks_off_is_over),
		FIXTURE_TEST(the_session_has_its_settings),
		FIXTURE_TEST(instants_come_back_as_they_went),
		FIXTURE_TEST(a_transaction_that_was_given_up_is_run_again),
		FIXTURE_TEST(a_transaction_that_was_given_up_at_its_end_is_run_again),
		FIXTURE_TEST(other_work_goes_on_while_an_answer_is_awaited),
		FIXTURE_TEST(an_answer_is_awaited_no_longer_than_without_other_work),
		FIXTURE_TEST(a_transaction_without_statements_ends_soon),
		FIXTURE_TEST(no_statement_runs_after_the_end_of_its_transaction),
		FIXTURE_TEST(a_guard_is_a_write_where_locks_are_local),
		FIXTURE_TEST(numbers_of_errors_have_classes),
		FIXTURE_TEST(a_connection_outlives_errors_that_pass),
		FIXTURE_TEST(a_list_of_hosts_is_read),
	};

	fixture_runs_once = true; /* the tests count the runs */
	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
