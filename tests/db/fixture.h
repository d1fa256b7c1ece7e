/* What a test of a store works with: a connection, an organisation of its own, and a way to look at the
 * tables that is not ours. The option file is named by OUTDIAL_TEST_DATABASE_FILE, its schema is there.
 * How campaigns are made and dialed in tests: scene.h. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "store/db.h"

struct fixture {
	struct db *db;
	struct arena *arena;
	int64_t organization_id;
};

const char *fixture_option_file(void);
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* The first cell of what a query answers, as a number; 0 for a statement that answers nothing. */
int64_t ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define assert_ok(call) assert_int_equal(call, DB_OK)

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#endif
