/* Zones from the first digits of a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/contact.h"
#include "domain/number_zones.h"

static char path[] = "/tmp/outdial-number-zones-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_file(void **state)
{
	int file = mkstemp(path);

	(void)state;
	return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int ending_of(const char *text)
{
	int status;
	pid_t child;

	write_file(text);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		number_zones_load(path);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static void files_that_are_no_tables(void **state)
{
	static const char *const bad[] = { "x", "49", "49|", "|Europe/Berlin", "1234567890123456|UTC", "+49|UTC" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (ending_of(bad[i]) != 1)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(ending_of(""), 0);
	assert_int_equal(ending_of("# nothing\n\n"), 0);
}

static void the_longest_beginning_counts(void **state)
{
	(void)state;
	number_zones_load("");
	assert_null(number_zones("+4930123456"));
	write_file("# Copyright\n\n49|Europe/Berlin&Europe/Busingen\r\n1|America/New_York&America/Los_Angeles\n"
	           "1212|America/New_York\n1208201|America/Denver\n888|Etc/Unknown\n7|Europe/Moscow");
	number_zones_load(path);
	assert_string_equal(number_zones("+4930123456"), "Europe/Berlin Europe/Busingen");
	assert_string_equal(number_zones("+12125550100"), "America/New_York");
	assert_string_equal(number_zones("+12135550100"), "America/New_York America/Los_Angeles");
	assert_string_equal(number_zones("+12082015555"), "America/Denver");
	assert_string_equal(number_zones("+1208201"), "America/Denver");
	assert_string_equal(number_zones("+120820"), "America/New_York America/Los_Angeles");
	assert_string_equal(number_zones("+79161234567"), "Europe/Moscow");
	assert_null(number_zones("+88812345678"));
	assert_null(number_zones("+441234567"));
	assert_null(number_zones("+"));
	assert_int_equal(number_zones_reach(), 8);
	assert_string_equal(contact_zones("Asia/Tokyo", "+12125550100"), "Asia/Tokyo");
	assert_string_equal(contact_zones("", "+12125550100"), "America/New_York");
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(files_that_are_no_tables),
		cmocka_unit_test(the_longest_beginning_counts),
	};

	return cmocka_run_group_tests(group_tests, make_file, remove_file);
}
