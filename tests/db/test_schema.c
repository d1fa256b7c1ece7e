/* The start-up checks: schema version and locking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/schema.h"
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

/* Programs that start together test together. */
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
		FIXTURE_TEST(the_state_of_an_installation),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
