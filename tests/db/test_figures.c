/* Figures are counted in memory and added to the table. If that fails, they stay in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "store/figures.h"

static int64_t counted(struct fixture *fixture, enum figure figure, int series, int slot)
{
	struct figures *figures = arena_alloc(fixture->arena, sizeof *figures);

	assert_ok(figures_read(fixture->db, fixture->arena, figures));
	return figures->counted[figure][series][slot];
}

static void counts_are_added(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = counted(fixture, FIGURE_WEBHOOKS, 1, 3);

	figures_count(FIGURE_WEBHOOKS, 1, 3, 2);
	assert_int_equal(counted(fixture, FIGURE_WEBHOOKS, 1, 3), before);
	for (int i = 0; i < 2; i++) {
		assert_ok(figures_flush(fixture->db));
		assert_int_equal(counted(fixture, FIGURE_WEBHOOKS, 1, 3), before + 2);
	}
}

static void a_duration_lands_in_its_bucket(void **state)
{
	struct fixture *fixture = *state;
	int bucket = histogram_bucket(30000);
	int64_t before = counted(fixture, FIGURE_WEBHOOK_SECONDS, 0, bucket);
	int64_t sum_us = counted(fixture, FIGURE_WEBHOOK_SECONDS, 0, FIGURE_SUM);

	assert_true(histogram_bounds[bucket - 1] < 0.03 && 0.03 <= histogram_bounds[bucket]);
	assert_int_equal(histogram_bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
	figures_observe(FIGURE_WEBHOOK_SECONDS, 0, 30000);
	assert_ok(figures_flush(fixture->db));
	assert_int_equal(counted(fixture, FIGURE_WEBHOOK_SECONDS, 0, bucket), before + 1);
	assert_int_equal(counted(fixture, FIGURE_WEBHOOK_SECONDS, 0, FIGURE_SUM), sum_us + 30000);
}

static void counts_that_the_database_refuses_are_kept(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = counted(fixture, FIGURE_RETRIES, 0, 0);

	figures_count(FIGURE_RETRIES, 0, 0, 1);
	ask("RENAME TABLE figures TO figures_away");
	assert_int_not_equal(figures_flush(fixture->db), DB_OK);
	ask("RENAME TABLE figures_away TO figures");
	assert_ok(figures_flush(fixture->db));
	assert_int_equal(counted(fixture, FIGURE_RETRIES, 0, 0), before + 1);
}

static enum db_result count_in_transaction(struct db *db, void *context)
{
	db_count(db, FIGURE_CALLS, 4, 1);
	db_count(db, FIGURE_CALLS, 4, 2);
	return *(const enum db_result *)context;
}

static void a_transaction_counts_when_it_is_kept(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = counted(fixture, FIGURE_CALLS, 0, 4);
	enum db_result kept = DB_OK, refused = DB_REFUSED;

	assert_int_equal(db_transact(fixture->db, DB_ONCE, count_in_transaction, &refused), DB_REFUSED);
	assert_ok(figures_flush(fixture->db));
	assert_int_equal(counted(fixture, FIGURE_CALLS, 0, 4), before);
	assert_ok(db_transact(fixture->db, DB_ONCE, count_in_transaction, &kept));
	assert_ok(figures_flush(fixture->db));
	assert_int_equal(counted(fixture, FIGURE_CALLS, 0, 4), before + 3);
}

static enum db_result rehearse(struct db *db, void *context)
{
	db_count(db, FIGURE_CALLS, 4, 1);
	DB_TRY(db_rehearse(db, count_in_transaction, context));
	return DB_OK;
}

static void a_rehearsal_counts_nothing(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = counted(fixture, FIGURE_CALLS, 0, 4);
	enum db_result kept = DB_OK;

	assert_ok(db_transact(fixture->db, DB_ONCE, rehearse, &kept));
	assert_ok(figures_flush(fixture->db));
	assert_int_equal(counted(fixture, FIGURE_CALLS, 0, 4), before + 1);
}

/* This test is the last, because the memory is shared from here on. */
static void processes_of_a_program_count_together(void **state)
{
	struct fixture *fixture = *state;
	int64_t before = counted(fixture, FIGURE_RETRIES, 0, 0);
	pid_t child;

	figures_share(FIGURES_API);
	child = fork();
	if (child == 0) {
		figures_count(FIGURE_RETRIES, 0, 0, 5);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_ok(figures_flush(fixture->db));
	assert_int_equal(counted(fixture, FIGURE_RETRIES, 0, 0), before + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(counts_are_added),
		FIXTURE_TEST(a_duration_lands_in_its_bucket),
		FIXTURE_TEST(counts_that_the_database_refuses_are_kept),
		FIXTURE_TEST(a_transaction_counts_when_it_is_kept),
		FIXTURE_TEST(a_rehearsal_counts_nothing),
		FIXTURE_TEST(processes_of_a_program_count_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
