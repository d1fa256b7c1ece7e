/* Waking the schedulers of a host when there is something to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wake.h"

static char ours[64], others[64];

static void all_listeners_of_an_installation_are_woken(void **state)
{
	int first = wake_listen(ours), second = wake_listen(ours), foreign = wake_listen(others);

	(void)state;
	assert_true(first >= 0 && second >= 0 && foreign >= 0);
	assert_false(wake_clear(first));
	wake_send(ours);
	wake_send(ours);
	assert_true(wake_clear(first) && wake_clear(second));
	assert_false(wake_clear(first) || wake_clear(second) || wake_clear(foreign));
	close(first);
	wake_send(ours);
	assert_true(wake_clear(second));
	first = wake_listen(ours);
	wake_send(ours);
	assert_true(wake_clear(first) && wake_clear(second));
	close(first);
	close(second);
	close(foreign);
}

static void a_wake_up_without_listeners_does_no_harm(void **state)
{
	int fd;

	(void)state;
	for (int i = 0; i < 1000; i++)
		wake_send(ours);
	fd = wake_listen(ours);
	assert_false(wake_clear(fd));
	for (int i = 0; i < 10000; i++)
		wake_send(ours); /* no process reads, and sending does not wait */
	assert_true(wake_clear(fd));
	close(fd);
}

static void further_schedulers_are_not_woken(void **state)
{
	int fds[20], count = 0;

	(void)state;
	while (count < 20 && (fds[count] = wake_listen(ours)) >= 0)
		count++;
	assert_int_equal(count, 8);
	while (count > 0)
		close(fds[--count]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_listeners_of_an_installation_are_woken),
		cmocka_unit_test(a_wake_up_without_listeners_does_no_harm),
		cmocka_unit_test(further_schedulers_are_not_woken),
	};

	snprintf(ours, sizeof ours, "/of/test/%d", (int)getpid());
	snprintf(others, sizeof others, "/of/test/%d/other", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
