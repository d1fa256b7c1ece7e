/* The start-up checks: schema version and locking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/migrate_watch.h"
#include "store/schema.h"
#include "store/statements.h"
#include "store/status.h"

static void the_version_is_that_of_the_files(void **state)
{
	struct fixture *fixture = *state;
	int64_t version;

	assert_ok(schema_version(fixture->db, &version));
	assert_int_equal(version, SCHEMA_VERSION);
}

static void rows_are_locked(void **state)
{
	bool works = false;

	(void)state;
	assert_ok(schema_test_locking(fixture_option_file(), &works));
	assert_true(works);
}

/* Several programs may start, and run the check, at the same time. */
static void many_may_test_at_once(void **state)
{
	enum { PROCESSES = 8, TIMES = 20 };
	int status, failed = 0;

	(void)state;
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			bool works = true;

			for (int time = 0; time < TIMES && works; time++)
				works = schema_test_locking(fixture_option_file(), &works) == DB_OK && works;
			_exit(works ? 0 : 1);
		}
	while (wait(&status) > 0)
		failed += status != 0;
	assert_int_equal(failed, 0);
}

/* Starts a process that writes the id of its own connection to `out`, and then runs a statement on this connection. */
static pid_t run_apart(const char *sql, int out)
{
	int64_t id;
	pid_t child = fork();
	struct db *db;

	if (child != 0)
		return child;
	db = db_new(fixture_option_file());
	if (db_ready(db) == DB_OK && db_query_int(db, SQL_MIGRATE_CONNECTION, DB_NO_ARGS, &id) == DB_OK &&
	    write(out, &id, sizeof id) == sizeof id)
		db_run_text(db, sql);
	pause();
	_exit(0);
}

static int64_t id_of(int in)
{
	int64_t id;

	assert_int_equal(read(in, &id, sizeof id), sizeof id);
	return id;
}

/* Returns whether the file has this text within some seconds. */
static bool comes(FILE *file, const char *text)
{
	char bytes[4096];

	for (int tries = 0; tries < 200; tries++) {
		ssize_t len = pread(fileno(file), bytes, sizeof bytes - 1, 0);

		bytes[len > 0 ? len : 0] = '\0';
		if (strstr(bytes, text) != NULL)
			return true;
		usleep(100000);
	}
	print_error("%s", bytes);
	return false;
}

/* It also works while the statement of another session has bytes that are not UTF-8. */
static void a_long_migration_says_what_it_waits_for(void **state)
{
	int pipes[2];
	FILE *output = tmpfile();
	char line[64];
	int64_t holder, waiter;
	pid_t holding, waiting, watch;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	holding = run_apart("DO GET_LOCK('outdial test of the watch', 0), SLEEP(30), _binary'\xff\xfe\\0'", pipes[1]);
	holder = id_of(pipes[0]);
	wait_for_session("SLEEP(30)");
	waiting = run_apart("DO GET_LOCK('outdial test of the watch', 30)", pipes[1]);
	waiter = id_of(pipes[0]);
	wait_for_session("User lock");
	watch = migrate_watch_begin(fixture_option_file(), "0099_test.sql", waiter, output);
	assert_true(comes(output, "0099_test.sql: for "));
	snprintf(line, sizeof line, "it may wait for connection %lld of", (long long)holder);
	assert_true(comes(output, line));
	migrate_watch_end(watch);
	fclose(output);
	for (size_t i = 0; i < 2; i++) {
		kill(i == 0 ? holding : waiting, SIGKILL);
		waitpid(i == 0 ? holding : waiting, NULL, 0);
		close(pipes[i]);
	}
}

static void the_state_of_an_installation(void **state)
{
	struct fixture *fixture = *state;
	struct status status;

	assert_ok(status_read(fixture->db, &status));
	assert_true(status.calls_in_flight >= 0 && status.deliveries_waiting >= 0);
	for (int i = 0; i < BATCH_STATUS__MAX; i++)
		assert_true(status.campaigns[i] >= 0);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(the_version_is_that_of_the_files),
		FIXTURE_TEST(rows_are_locked),
		FIXTURE_TEST(many_may_test_at_once),
		FIXTURE_TEST(a_long_migration_says_what_it_waits_for),
		FIXTURE_TEST(the_state_of_an_installation),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
