/* The configuration file: accepted values, and values that end the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/conf.h"

static char path[64];

/* Each text has a file of its own, because a process reads a file of settings once. */
static void write_file(const char *text)
{
	static int count;
	FILE *file;

	unlink(path);
	snprintf(path, sizeof path, "/tmp/outdial-conf-%d-%d", (int)getpid(), count++);
	file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void an_empty_file_gives_the_defaults(void **state)
{
	static struct conf conf; /* its strings live as long */

	(void)state;
	write_file("");
	conf = conf_load(path);
	assert_string_equal(conf.database_file, "/etc/outdial/database.cnf");
	assert_string_equal(conf.read_database_file, "");
	assert_int_equal(conf.workers, 8);
	assert_int_equal(conf.lease_seconds, 30);
	assert_int_equal(conf.dispatch_ttl_seconds, 120);
	assert_int_equal(conf.call_give_up_after, INT64_C(86400000000));
	assert_int_equal(conf.webhook_retry_delays.count, 7);
	assert_int_equal(conf.webhook_retry_delays.us[0], 5000000);
	assert_int_equal(conf.webhook_retry_delays.us[6], INT64_C(50400000000));
	assert_int_equal(conf.webhook_disable_after, INT64_C(432000000000));
	assert_false(conf.webhook_allow_http);
	assert_false(conf.webhook_allow_private);
}

static void values_of_the_file_count(void **state)
{
	static struct conf conf; /* its strings live as long */

	(void)state;
	write_file("# a comment\n\n  workers=3  \n\tpublic_url = https://a.example/x = y\nwebhook_allow_http = yes\n"
	           "lease_seconds = 3600"); /* without a line end */
	conf = conf_load(path);
	assert_int_equal(conf.workers, 3);
	assert_string_equal(conf.public_url, "https://a.example/x = y");
	assert_true(conf.webhook_allow_http);
	assert_int_equal(conf.lease_seconds, 3600);
}

/* The message of a program before it ends. */
static void assert_fatal(const char *text, const char *said)
{
	char output[1000] = "";
	int ends[2], status;
	ssize_t len;
	pid_t child;

	write_file(text);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		conf_load(path);
		_exit(0);
	}
	close(ends[1]);
	len = read(ends[0], output, sizeof output - 1);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FAILURE || len <= 0 || strstr(output, said) == NULL)
		fail_msg("`%s` ended with %d and said: %s", text, status, output);
}

static void faults_are_fatal_and_named(void **state)
{
	(void)state;
	assert_fatal("workers = 3\nworker = 3\n", ":2: unknown key `worker`");
	assert_fatal("workers\n", ":1: expected `key = value`");
	assert_fatal("workers = 0\n", "`workers` must be a number from 1 to 512, not `0`");
	assert_fatal("workers = 513\n", "a number from 1 to 512");
	assert_fatal("workers = 3x\n", "a number from 1 to 512");
	assert_fatal("workers =\n", "a number from 1 to 512");
	assert_fatal("workers = 99999999999999999999\n", "a number from 1 to 512");
	assert_fatal("workers = 1\n# x\nworkers = 1\n", ":3: `workers` is set twice");
	assert_fatal("webhook_allow_http = true\n", "must be yes or no");
	assert_fatal("log_level = loud\n", "error, warning, info or debug");
	assert_fatal("lease_seconds = 19\n", "20 to 3600"); /* a webhook may take 15 */
	assert_fatal("database_file =\n", "1 to 4095 characters");
	assert_fatal("webhook_allow = 10.0.0.0/8, 10.1.0.0/16\n", ":1: `webhook_allow` must be networks (like");
	assert_fatal("webhook_ports = 443,8443\n", ":1: `webhook_ports` must be ports from 1 to 65535");
	assert_fatal("webhook_ports =\n", "1 to 4000 characters");
	assert_fatal("lease_seconds = 20\nwebhook_timeout_seconds = 16\n", "at least 5 more");
}

static void delays_have_units(void **state)
{
	static struct conf conf; /* its strings live as long */

	(void)state;
	write_file("webhook_retry_delays = 1s   2m 3h 4d\nwebhook_disable_after = 36h\n");
	conf = conf_load(path);
	assert_int_equal(conf.webhook_retry_delays.count, 4);
	assert_int_equal(conf.webhook_retry_delays.us[1], 120000000);
	assert_int_equal(conf.webhook_retry_delays.us[3], INT64_C(345600000000));
	assert_int_equal(conf.webhook_disable_after, INT64_C(129600000000));
	assert_fatal("webhook_retry_delays =\n", ":1: `webhook_retry_delays` must be 1 to 20 times");
	assert_fatal("webhook_retry_delays = 5\n", "with their units");
	assert_fatal("webhook_retry_delays = 5s,6s\n", "with their units");
	assert_fatal("webhook_retry_delays = 0s\n", "with their units");
	assert_fatal("webhook_retry_delays = 8d\n", "each up to 7d");
	assert_fatal("webhook_retry_delays = -1s\n", "with their units");
	assert_fatal("webhook_retry_delays = 99999999999999999999s\n", "with their units");
	assert_fatal("webhook_retry_delays = 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s\n", "1 to 20");
	assert_fatal("webhook_disable_after = 5d 5d\n", "a time with its unit");
	assert_fatal("webhook_disable_after = 366d\n", "up to 365d");
}

static void a_file_that_is_not_there(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) != NULL)
			conf_load("/nonexistent/outdial.conf");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

static void make_empty(const char *folder, const char *name, char out[64])
{
	FILE *file;

	snprintf(out, 64, "%s/%s", folder, name);
	file = fopen(out, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
}

static void credentials_of_systemd_replace_files(void **state)
{
	static struct conf without, with; /* static, as in the programs: their texts live as long as the process */
	char folder[] = "/tmp/outdial-credentials-XXXXXX", database[64], key[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_file(
		"database_file = /nowhere/db.cnf\nsecret_key_file = /nowhere/a.key\nwebhook_client_key = /elsewhere/a.key\n");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	without = conf_load(path);
	assert_string_equal(without.database_file, "/nowhere/db.cnf");
	assert_string_equal(without.secret_key_file, "/nowhere/a.key");
	make_empty(folder, "db.cnf", database);
	make_empty(folder, "a.key", key);
	with = conf_load(path);
	assert_string_equal(with.database_file, database);
	assert_string_equal(with.secret_key_file, key);
	assert_string_equal(with.webhook_client_key, key);
	assert_string_equal(with.webhook_client_certificate, "");
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(database);
	unlink(key);
	rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_defaults), cmocka_unit_test(values_of_the_file_count),
		cmocka_unit_test(faults_are_fatal_and_named),       cmocka_unit_test(delays_have_units),
		cmocka_unit_test(a_file_that_is_not_there),         cmocka_unit_test(credentials_of_systemd_replace_files),
	};

	return cmocka_run_group_tests(group_tests, NULL, tear_down);
}
