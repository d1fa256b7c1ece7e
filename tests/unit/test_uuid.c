/* Ids: their form, their order, and which texts are accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/uuid.h"

#define TEXT "01890a5d-ac96-774b-bcce-b302099a8057"

static void ids_are_of_version_7_and_of_now(void **state)
{
	struct uuid id = uuid_new();
	int64_t ms = uuid_made_at(&id) / US_PER_MS;

	(void)state;
	assert_int_equal(id.b[6] >> 4, 7);
	assert_int_equal(id.b[8] >> 6, 2);
	assert_in_range(ms, clock_now_us() / US_PER_MS - 1000, clock_now_us() / US_PER_MS + 1000);
}

/* Makes more ids than one millisecond has, also while the clock goes back. */
static void ids_sort_in_the_order_of_their_making(void **state)
{
	struct uuid last = uuid_new();
	int64_t mono_us = clock_mono_us(), now_us = clock_now_us();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct uuid next = uuid_new();

		assert_true(memcmp(&last, &next, sizeof last) < 0);
		assert_int_equal(next.b[6] >> 4, 7);
		last = next;
		if (i == 50000)
			clock_set(now_us - 60 * US_PER_MINUTE, mono_us, mono_us);
	}
}

static void texts_that_are_accepted_as_ids(void **state)
{
	static const char *const good[] = {
		TEXT,
		"01890A5D-AC96-774B-BCCE-B302099A8057",
		"batch_" TEXT,
	};
	static const char *const bad[] = {
		"",
		"batch_",
		"batch_batch_" TEXT,
		"Batch_" TEXT,
		"xxx_" TEXT,
		"agt_" TEXT,
		"batch" TEXT,
		TEXT " ",
		" " TEXT,
		TEXT "0",
		"01890a5dac96774bbcceb302099a8057",
		"01890a5d-ac96-774b-bcce-b302099a805",
		"01890a5d-ac96-774b-bcce-b302099a805g",
		"{" TEXT "}",
	};
	struct uuid id;
	char text[UUID_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!uuid_parse_id(good[i], ID_BATCH, &id))
			fail_msg("%s is an id", good[i]);
		uuid_format(&id, text);
		assert_string_equal(text, TEXT);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (uuid_parse_id(bad[i], ID_BATCH, &id))
			fail_msg("%s is no id", bad[i]);
}

static void hexadecimal(void **state)
{
	struct uuid id, nil = { { 0 } };
	char text[UUID_HEX];

	(void)state;
	assert_true(uuid_parse_id(TEXT, "", &id));
	uuid_format_hex(&id, text);
	assert_string_equal(text, "01890a5dac96774bbcceb302099a8057");
	assert_false(uuid_is_nil(&id));
	assert_true(uuid_is_nil(&nil));
	assert_true(uuid_equal(&id, &id));
	assert_false(uuid_equal(&id, &nil));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(ids_are_of_version_7_and_of_now),
		cmocka_unit_test(ids_sort_in_the_order_of_their_making),
		cmocka_unit_test(texts_that_are_accepted_as_ids),
		cmocka_unit_test(hexadecimal),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
