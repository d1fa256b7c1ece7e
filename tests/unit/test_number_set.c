/* The set of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/number_set.h"

static void each_number_is_new_once(void **state)
{
	struct number_set set = { 0 };

	(void)state;
	for (uint64_t round = 0; round < 2; round++)
		for (uint64_t i = 1; i <= 100000; i++) {
			assert_int_equal(number_set_add(&set, i), round == 0);
			assert_int_equal(number_set_add(&set, i << 40), round == 0);
		}
	assert_int_equal(set.count, 200000);
	assert_true(set.size <= 4 * set.count);
	number_set_free(&set);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = { cmocka_unit_test(each_number_is_new_once) };

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
