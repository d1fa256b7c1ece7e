/* Random bytes, also of a process and its child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crypto.h"

#define DRAWS 300 /* more than one filling of the pool */
#define SIZE 16

static void no_draw_comes_twice(void **state)
{
	static unsigned char drawn[DRAWS][SIZE];
	static unsigned char large[5000], none[5000];

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		crypto_random(drawn[i], SIZE);
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(drawn[i], drawn[k], SIZE);
	}
	crypto_random(large, sizeof large);
	assert_memory_not_equal(large + sizeof large - SIZE, none, SIZE);
}

static void a_child_draws_other_bytes(void **state)
{
	unsigned char own[SIZE], of_child[SIZE];
	int pipes[2], status;
	pid_t child;

	(void)state;
	crypto_random(own, SIZE);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	crypto_random(own, SIZE);
	if (child == 0)
		_exit(write(pipes[1], own, SIZE) == SIZE ? EXIT_SUCCESS : EXIT_FAILURE);
	assert_int_equal(read(pipes[0], of_child, SIZE), SIZE);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_memory_not_equal(own, of_child, SIZE);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_draw_comes_twice),
		cmocka_unit_test(a_child_draws_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
