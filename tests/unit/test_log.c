/* The log: lines that come too often are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static char written[65536];

/* The lines that `run` writes to standard error. */
static int lines_of(void (*run)(void))
{
	FILE *file = tmpfile();
	int own = dup(STDERR_FILENO), lines = 0;
	size_t len;

	dup2(fileno(file), STDERR_FILENO);
	run();
	dup2(own, STDERR_FILENO);
	close(own);
	rewind(file);
	len = fread(written, 1, sizeof written - 1, file);
	written[len] = '\0';
	fclose(file);
	for (size_t i = 0; i < len; i++)
		lines += written[i] == '\n';
	return lines;
}

static void flood(void)
{
	for (int i = 0; i < 250; i++)
		log_warning("it is away, time %d", i);
	log_warning("another matter");
}

static void lines_that_come_too_often_are_left_out(void **state)
{
	int lines = lines_of(flood);

	(void)state;
	assert_in_range(lines, 101, 203); /* of one window, or of two where one ended meanwhile */
	assert_non_null(strstr(written, "<4>it is away, time 0\n"));
	assert_non_null(strstr(written, "<4>another matter\n"));
}

static void inform(void)
{
	log_info("what goes on");
	log_warning("what is wrong");
}

static void people_are_told_what_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(lines_of(inform), 2);
	log_for_people();
	assert_int_equal(lines_of(inform), 1);
	assert_string_equal(written, "what is wrong\n");
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(lines_that_come_too_often_are_left_out),
		cmocka_unit_test(people_are_told_what_is_wrong),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
