/* How a campaign yields to a dialer that asks to slow down, and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/pressure.h"

static void a_refusal_halves_the_places(void **state)
{
	struct pressure pressure = { 0 };

	(void)state;
	pressure_refused(&pressure, 10, 1, 100);
	assert_int_equal(pressure.places, 5);
	pressure_refused(&pressure, 10, 101, 200);
	assert_int_equal(pressure.places, 2);
	pressure_refused(&pressure, 10, 201, 300);
	assert_int_equal(pressure.places, 1);
	pressure_refused(&pressure, 10, 301, 400);
	assert_int_equal(pressure.places, 1);
}

static void a_burst_counts_once(void **state)
{
	struct pressure pressure = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		pressure_refused(&pressure, 10, 90 + i, 100 + i);
	assert_int_equal(pressure.places, 5);
}

static void fewer_in_progress_than_places_count(void **state)
{
	struct pressure pressure = { .places = 8 };

	(void)state;
	pressure_refused(&pressure, 4, 1, 100);
	assert_int_equal(pressure.places, 2);
}

static void as_many_accepted_calls_as_places_add_a_place(void **state)
{
	struct pressure pressure = { .places = 2 };

	(void)state;
	pressure_taken(&pressure, 5);
	assert_int_equal(pressure.places, 2);
	pressure_taken(&pressure, 5);
	assert_int_equal(pressure.places, 3);
	for (int i = 0; i < 3; i++)
		pressure_taken(&pressure, 5);
	assert_int_equal(pressure.places, 4);
	for (int i = 0; i < 4; i++)
		pressure_taken(&pressure, 5);
	assert_int_equal(pressure.places, 0); /* all places of the campaign: the pressure is over */
	pressure_taken(&pressure, 5);
	assert_int_equal(pressure.places, 0);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(a_refusal_halves_the_places),
		cmocka_unit_test(a_burst_counts_once),
		cmocka_unit_test(fewer_in_progress_than_places_count),
		cmocka_unit_test(as_many_accepted_calls_as_places_add_a_place),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
