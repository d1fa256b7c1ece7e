/* The fixture of the database tests: a connection, an organisation of its own, and an independent way to read the
 * tables. OUTDIAL_TEST_DATABASE_FILE names the option file of a database that has the tables. scene.h makes campaigns
 * and calls for tests. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <mysql.h>

#include "store/db.h"

struct fixture {
	struct db *db;
	struct arena *arena;
	int64_t organization_id;
};

/* Every transaction of a test runs twice: its first run is undone, as after a deadlock. So a test fails if a run leaves
 * something behind that the next run does not expect. true, or OUTDIAL_TEST_RUNS_ONCE is set: each runs once. */
extern bool fixture_runs_once;
/* Is called once, between the two runs of the next transaction, without its locks. NULL: nothing is. */
extern void (*fixture_between_runs)(void);
/* A transaction of the test itself, such as one that holds locks, runs once. */
enum db_result transact_once(struct db *db, db_work *work, void *context);

const char *fixture_option_file(void);
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Creates another organisation. Returns its internal key. */
int64_t new_organization(struct db *db);

/* Returns the first cell of a query's result, as a number; 0 for a statement without a result. */
int64_t ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Opens a session, which the caller closes, and sends it this statement. */
MYSQL *send_query(const char *query);

/* Waits until the state or the statement of a session contains the text. */
void wait_for_session(const char *text);

#define assert_ok(call) assert_int_equal(call, DB_OK)

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#endif
