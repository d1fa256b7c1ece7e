#define _GNU_SOURCE /* close_range */
#include "base/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/settings.h"

static char **arguments;
static int tested = -1; /* the settings that passed the test */

void reload_remember(char **argv)
{
	arguments = argv;
}

static void __attribute__((noreturn)) run_test(void)
{
	size_t count = 0;
	char **argv;
	sigset_t none;

	while (arguments[count] != NULL)
		count++;
	argv = calloc(count + 2, sizeof *argv);
	if (argv == NULL)
		fatal("out of memory");
	argv[0] = arguments[0];
	argv[1] = (char *)"-t";
	memcpy(argv + 2, arguments + 1, (count - 1) * sizeof *argv);
	unsetenv("NOTIFY_SOCKET"); /* the child process is not the service */
	settings_hand_over(tested);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	fatal("%s: %s", argv[0], strerror(errno));
}

bool reload_is_good(void)
{
	int status = 0;
	pid_t pid;

	if (tested >= 0)
		close(tested);
	tested = settings_store_new();
	pid = tested >= 0 ? fork() : -1;
	if (pid == 0)
		run_test();
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return true;
	log_error("SIGHUP changes nothing: the present configuration is not valid");
	return false;
}

void reload_now(int last_fd)
{
	sigset_t hangup;

	/* A signal that comes before the new program handles it would end the process. */
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, NULL);
	close_range((unsigned)last_fd + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	settings_hand_over(tested);
	notify_reloading();
	execvp(arguments[0], arguments);
	fatal("%s: %s", arguments[0], strerror(errno));
}
