/* The texts of configuration files are read once, and passed on unchanged. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/settings.h"

static char folder[] = "/tmp/outdial-settings-XXXXXX";
static char path[64];

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_reads(const char *expected)
{
	char text[100] = "";
	FILE *file = settings_open(path, NULL);
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	assert_int_equal(len, strlen(expected));
	assert_string_equal(text, expected);
}

/* A process has one store, so each test has its own process. */
static void in_child(void (*act)(int store), int store)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		act(store);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void read_twice(int store)
{
	mode_t mode = 0;

	(void)store;
	write_file("first\n");
	assert_reads("first\n");
	write_file("the second is longer\n");
	assert_reads("first\n");
	fclose(settings_open(path, &mode));
	assert_true(S_ISREG(mode));
}

static void read_into(int store)
{
	settings_hand_over(store);
	assert_reads("judged\n");
}

static void lack_a_file(int store)
{
	(void)store;
	assert_null(settings_open("/tmp/outdial-nowhere", NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(settings_open(folder, NULL));
	assert_int_equal(errno, EISDIR);
}

static void a_file_is_read_once(void **state)
{
	(void)state;
	in_child(read_twice, -1);
}

static void the_next_program_reads_what_was_judged(void **state)
{
	int store = settings_store_new();

	(void)state;
	assert_true(store >= 0);
	write_file("judged\n");
	in_child(read_into, store);
	write_file("changed\n");
	in_child(read_into, store);
	close(store);
}

static void an_empty_file_counts_as_a_file(void **state)
{
	int store = settings_store_new();

	(void)state;
	write_file("");
	settings_hand_over(store);
	assert_reads("");
	assert_reads("");
}

static void an_unreadable_file_is_reported(void **state)
{
	(void)state;
	in_child(lack_a_file, -1);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return unlink(path) != 0 || rmdir(folder) != 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_once),
		cmocka_unit_test(the_next_program_reads_what_was_judged),
		cmocka_unit_test(an_unreadable_file_is_reported),
		cmocka_unit_test(an_empty_file_counts_as_a_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
