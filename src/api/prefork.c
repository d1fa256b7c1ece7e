#include "api/prefork.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/signals.h"

#define BACKLOG 1024
#define SYSTEMD_FIRST_FD 3

#define YOUNG_US (10 * US_PER_SECOND)        /* a worker that lived shorter counts as failing */
#define DELAY_FIRST_US (US_PER_SECOND / 10)
#define DELAY_LONGEST_US (10 * US_PER_SECOND)
#define TICK_US (US_PER_SECOND / 2)          /* of the watchdog */
#define REPEAT_STOP_US (US_PER_SECOND / 10)  /* a worker can miss a signal just before it waits */

static bool bound_here; /* the socket file is ours to remove */

struct worker {
	pid_t pid; /* 0: not running */
	int64_t started_us, start_at_us;
	int64_t delay_us; /* before the next start after an early death */
};

static int systemd_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != getpid())
		return -1;
	if (strcmp(count, "1") != 0)
		fatal("one socket is wanted from systemd, not %s", count);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return SYSTEMD_FIRST_FD;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fatal("cannot make a socket: %s", strerror(errno));
	return fd;
}

/* A socket file outlives its server. Only one on which nobody answers may be replaced. */
static void remove_stale(const struct sockaddr_un *address)
{
	int fd = unix_socket();

	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
		fatal("%s: another server answers there", address->sun_path);
	if (errno != ECONNREFUSED || unlink(address->sun_path) != 0)
		fatal("%s: %s", address->sun_path, strerror(errno));
	close(fd);
}

/* nginx runs as another user; who may come near is the folder's matter. */
static int bind_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *name = (const struct sockaddr *)&address;
	int fd = unix_socket();

	memcpy(address.sun_path, path, strlen(path) + 1); /* its length was checked with the configuration */
	if (bind(fd, name, sizeof address) != 0) {
		if (errno != EADDRINUSE)
			fatal("%s: %s", path, strerror(errno));
		remove_stale(&address);
		if (bind(fd, name, sizeof address) != 0)
			fatal("%s: %s", path, strerror(errno));
	}
	if (chmod(path, 0666) != 0 || listen(fd, BACKLOG) != 0)
		fatal("%s: %s", path, strerror(errno));
	bound_here = true;
	return fd;
}

int prefork_listen(const struct conf *conf)
{
	int fd = systemd_socket();

	return fd >= 0 ? fd : bind_socket(conf->socket);
}

static void start_worker(struct worker *worker, const struct conf *conf, int listen_fd,
                         void (*work)(const struct conf *, int))
{
	pid_t master = getpid();

	pid_t pid = fork();

	if (pid < 0)
		log_error("cannot start a worker: %s", strerror(errno));
	if (pid != 0) {
		worker->pid = pid > 0 ? pid : 0;
		worker->started_us = clock_mono_us();
		worker->start_at_us = worker->started_us + DELAY_LONGEST_US; /* if there was no fork */
		return;
	}
	/* KILL, because nobody would be left to repeat a TERM that was missed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(EXIT_FAILURE);
	signals_catch();
	work(conf, listen_fd);
	exit(EXIT_SUCCESS);
}

static void start_missing(struct worker *workers, const struct conf *conf, int listen_fd,
                          void (*work)(const struct conf *, int))
{
	for (int64_t i = 0; i < conf->workers; i++)
		if (workers[i].pid == 0 && workers[i].start_at_us <= clock_mono_us())
			start_worker(&workers[i], conf, listen_fd, work);
}

static void bury(struct worker *worker, int status)
{
	int64_t now_us = clock_mono_us();
	bool retired = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	bool young = now_us - worker->started_us < YOUNG_US;

	if (WIFSIGNALED(status))
		log_error("worker %d was ended by signal %d", (int)worker->pid, WTERMSIG(status));
	else if (!retired)
		log_error("worker %d ended with status %d", (int)worker->pid, WEXITSTATUS(status));
	if (retired || !young)
		worker->delay_us = 0;
	else if (worker->delay_us == 0)
		worker->delay_us = DELAY_FIRST_US;
	else if (worker->delay_us < DELAY_LONGEST_US)
		worker->delay_us *= 2;
	worker->start_at_us = now_us + worker->delay_us;
	worker->pid = 0;
}

static void bury_dead(struct worker *workers, const struct conf *conf)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int64_t i = 0; i < conf->workers; i++)
			if (workers[i].pid == pid)
				bury(&workers[i], status);
}

static int stop_running(const struct worker *workers, const struct conf *conf)
{
	int running = 0;

	for (int64_t i = 0; i < conf->workers; i++)
		if (workers[i].pid != 0) {
			kill(workers[i].pid, SIGTERM);
			running++;
		}
	return running;
}

/* How long until the next start or tick. */
static int64_t pause_us(const struct worker *workers, const struct conf *conf)
{
	int64_t now_us = clock_mono_us(), pause = TICK_US;

	for (int64_t i = 0; i < conf->workers; i++)
		if (workers[i].pid == 0 && workers[i].start_at_us - now_us < pause)
			pause = workers[i].start_at_us - now_us;
	return pause > 0 ? pause : 0;
}

void prefork_run(const struct conf *conf, int listen_fd, void (*work)(const struct conf *, int))
{
	struct worker *workers = calloc((size_t)conf->workers, sizeof *workers);
	int number = 0;

	if (workers == NULL)
		fatal("out of memory");
	signals_hold();
	start_missing(workers, conf, listen_fd, work);
	notify_ready();
	while (number != SIGTERM && number != SIGINT) {
		notify_watchdog();
		number = signals_wait(pause_us(workers, conf));
		bury_dead(workers, conf);
		start_missing(workers, conf, listen_fd, work);
	}
	notify_stopping();
	for (; stop_running(workers, conf) > 0; bury_dead(workers, conf))
		signals_wait(REPEAT_STOP_US);
	if (bound_here)
		unlink(conf->socket);
	free(workers);
}
