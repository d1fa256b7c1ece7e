/* Telling the schedulers of a host that there is something to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wake.h"

static char ours[64], others[64];

static void all_listeners_of_an_installation_are_told(void **state)
{
	int first = wake_listen(ours), second = wake_listen(ours), foreign = wake_listen(others);

	(void)state;
	assert_true(first >= 0 && second >= 0 && foreign >= 0);
	assert_false(wake_clear(first));
	wake_tell(ours);
	wake_tell(ours);
	assert_true(wake_clear(first) && wake_clear(second));
	assert_false(wake_clear(first) || wake_clear(second) || wake_clear(foreign));
	close(first);
	wake_tell(ours);
	assert_true(wake_clear(second));
	first = wake_listen(ours);
	wake_tell(ours);
	assert_true(wake_clear(first) && wake_clear(second));
	close(first);
	close(second);
	close(foreign);
}

static void telling_nobody_does_not_matter(void **state)
{
	int fd;

	(void)state;
	for (int i = 0; i < 1000; i++)
		wake_tell(ours);
	fd = wake_listen(ours);
	assert_false(wake_clear(fd));
	for (int i = 0; i < 10000; i++)
		wake_tell(ours); /* nobody reads: it does not wait */
	assert_true(wake_clear(fd));
	close(fd);
}

static void there_may_be_more_schedulers_than_are_told(void **state)
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
		cmocka_unit_test(all_listeners_of_an_installation_are_told),
		cmocka_unit_test(telling_nobody_does_not_matter),
		cmocka_unit_test(there_may_be_more_schedulers_than_are_told),
	};

	snprintf(ours, sizeof ours, "/of/test/%d", (int)getpid());
	snprintf(others, sizeof others, "/of/test/%d/other", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
