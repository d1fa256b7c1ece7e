/* The closed set of statements: the server takes every one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

static void all_can_be_prepared(void **state)
{
	struct fixture *fixture = *state;

	assert_ok(db_prepare_all(fixture->db));
	assert_ok(db_prepare_all(fixture->db)); /* and once is enough */
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(all_can_be_prepared),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
