#include "api/prefork.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/board.h"
#include "api/listener.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/reload.h"
#include "base/signals.h"

#define YOUNG_US (10 * US_PER_SECOND) /* a worker that ends earlier counts as failing */
#define DELAY_FIRST_US (US_PER_SECOND / 10)
#define DELAY_LONGEST_US (10 * US_PER_SECOND)
#define TICK_US (US_PER_SECOND / 2)         /* of the watchdog */
#define REPEAT_STOP_US (US_PER_SECOND / 10) /* a worker can miss a signal just before it waits */

#define STUCK_US (60 * US_PER_SECOND)   /* a request without any progress for so long is stuck */
#define STOPPED_US (30 * US_PER_SECOND) /* a process without a sign of life for so long was stopped */
/* from SIGTERM until the rest is killed: less than systemd's TimeoutStopSec */
#define STOP_US (45 * US_PER_SECOND)
#define OLD_MAX 1024

#define ENV_OLD_WORKERS "OUTDIAL_OLD_WORKERS" /* for the next program after SIGHUP */

struct child {
	pid_t pid; /* 0: not running */
	int64_t started_us, start_at_us, stopped_us;
	int64_t delay_us; /* before the next start after an early death */
};

struct master {
	const struct conf *conf;
	int listen_fd;
	prefork_work *work;
	int count; /* of children: the workers, and the processes that prefork.h names */
	struct child *children;
	pid_t old[OLD_MAX]; /* workers from before a SIGHUP that still have a request */
	int old_count;
	bool failed; /* a child reported that a new start is useless */
};

static void start_child(struct master *master, int number)
{
	struct child *child = &master->children[number];
	pid_t own = getpid(), pid = fork();

	if (pid < 0)
		log_error("cannot start a worker: %s", strerror(errno));
	if (pid != 0) {
		*child = (struct child){ .pid = pid > 0 ? pid : 0, .started_us = clock_mono_us(), .delay_us = child->delay_us };
		child->start_at_us = child->started_us + DELAY_LONGEST_US; /* if there was no fork */
		atomic_store(&board->workers[number].pid, child->pid);
		return;
	}
	/* SIGKILL, because nobody would repeat a SIGTERM that was missed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != own)
		_exit(EXIT_FAILURE);
	signals_catch();
	master->work(master->conf, master->listen_fd, number);
	exit(EXIT_SUCCESS);
}

static void start_missing(struct master *master)
{
	for (int i = 0; i < master->count && !master->failed; i++)
		if (master->children[i].pid == 0 && master->children[i].start_at_us <= clock_mono_us())
			start_child(master, i);
}

static const char *name_of(const struct master *master, int number)
{
	if (number == prefork_monitor(master->conf))
		return "the monitor";
	if (number == prefork_replica(master->conf))
		return "the monitor of the replica";
	return number == prefork_reserve(master->conf) ? "the worker in reserve" : "worker";
}

static void bury(struct master *master, int number, int status)
{
	struct child *child = &master->children[number];
	int64_t now_us = clock_mono_us();
	bool retired = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	bool young = now_us - child->started_us < YOUNG_US;

	if (WIFSIGNALED(status))
		log_error("%s %d was ended by signal %d", name_of(master, number), (int)child->pid, WTERMSIG(status));
	else if (!retired)
		log_error("%s %d ended with status %d", name_of(master, number), (int)child->pid, WEXITSTATUS(status));
	master->failed |= number == prefork_monitor(master->conf) && WIFEXITED(status) && !retired;
	atomic_fetch_add(&board->worker_restarts, 1);
	atomic_store(&board->workers[number].busy_since_us, 0);
	atomic_store(&board->workers[number].waits, false);
	atomic_store(&board->workers[number].pid, 0);
	if (retired || !young)
		child->delay_us = 0;
	else if (child->delay_us == 0)
		child->delay_us = DELAY_FIRST_US;
	else if (child->delay_us < DELAY_LONGEST_US)
		child->delay_us *= 2;
	child->start_at_us = now_us + child->delay_us;
	child->pid = 0;
}

static void forget_old(struct master *master, pid_t pid)
{
	for (int i = 0; i < master->old_count; i++)
		if (master->old[i] == pid)
			master->old[i--] = master->old[--master->old_count];
}

static void note_change(struct master *master, pid_t pid, int status)
{
	for (int i = 0; i < master->count; i++) {
		struct child *child = &master->children[i];

		if (child->pid != pid)
			continue;
		if (WIFSTOPPED(status))
			child->stopped_us = clock_mono_us();
		else if (WIFCONTINUED(status))
			child->stopped_us = 0;
		else
			bury(master, i, status);
	}
	if (WIFEXITED(status) || WIFSIGNALED(status))
		forget_old(master, pid);
}

static void note_changes(struct master *master)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0)
		note_change(master, pid, status);
}

/* A worker that is stopped, or stuck in a request, would be missing for ever. Another worker replaces it. */
static void watch(struct master *master)
{
	int64_t now_us = clock_mono_us();

	for (int i = 0; i < master->count; i++) {
		const struct child *child = &master->children[i];
		int64_t busy_us = atomic_load(&board->workers[i].busy_since_us);
		int64_t moved_us = atomic_load(&board->workers[i].progress_at_us);

		if (child->pid == 0)
			continue;
		if (child->stopped_us != 0 && now_us - child->stopped_us > STOPPED_US) {
			log_error("%s %d has been stopped for %d s: it is replaced", name_of(master, i), (int)child->pid,
			          (int)(STOPPED_US / US_PER_SECOND));
			kill(child->pid, SIGKILL);
		} else if (busy_us != 0 && now_us - busy_us > STUCK_US && now_us - moved_us > STUCK_US) {
			log_error("%s %d has made no progress with its request for %d s: it is replaced", name_of(master, i),
			          (int)child->pid, (int)(STUCK_US / US_PER_SECOND));
			kill(child->pid, SIGKILL);
		}
	}
}

static void end_old(const struct master *master, int number)
{
	for (int i = 0; i < master->old_count; i++)
		kill(master->old[i], number);
}

/* Returns how many processes still run. */
static int end_all(const struct master *master, int number)
{
	int running = master->old_count;

	end_old(master, number);
	for (int i = 0; i < master->count; i++) {
		if (master->children[i].pid == 0)
			continue;
		kill(master->children[i].pid, number);
		if (master->children[i].stopped_us != 0) /* otherwise it would not see the signal */
			kill(master->children[i].pid, SIGCONT);
		running++;
	}
	return running;
}

static void stop(struct master *master)
{
	int64_t deadline_us = clock_mono_us() + STOP_US;
	int number = SIGTERM, running;

	while ((running = end_all(master, number)) > 0) {
		signals_wait(REPEAT_STOP_US);
		note_changes(master);
		if (number == SIGTERM && clock_mono_us() > deadline_us) {
			log_error("%d processes have not ended for %d s: they are killed", running, (int)(STOP_US / US_PER_SECOND));
			number = SIGKILL;
		}
	}
}

/* Returns the time until the next start or tick. */
static int64_t pause_us(const struct master *master)
{
	int64_t now_us = clock_mono_us(), pause = master->old_count > 0 ? REPEAT_STOP_US : TICK_US;

	for (int i = 0; i < master->count; i++)
		if (master->children[i].pid == 0 && master->children[i].start_at_us - now_us < pause)
			pause = master->children[i].start_at_us - now_us;
	return pause > 0 ? pause : 0;
}

/* Takes over the workers from before a SIGHUP, which the program before this one lists. */
static void adopt_old(struct master *master)
{
	char *list = getenv(ENV_OLD_WORKERS), *end;

	for (; list != NULL && *list != '\0' && master->old_count < OLD_MAX; list = end + (*end == ' '))
		master->old[master->old_count++] = (pid_t)strtol(list, &end, 10);
	unsetenv(ENV_OLD_WORKERS);
}

static void hand_over_children(const struct master *master)
{
	struct buf list = { 0 };

	for (int i = 0; i < master->old_count; i++)
		buf_printf(&list, "%d ", (int)master->old[i]);
	for (int i = 0; i < master->count; i++)
		if (master->children[i].pid != 0)
			buf_printf(&list, "%d ", (int)master->children[i].pid);
	setenv(ENV_OLD_WORKERS, buf_text(&list), 1);
	buf_free(&list);
}

/* The socket stays open. Requests wait in it for a moment. */
static void begin_afresh(const struct master *master)
{
	if (!reload_is_good())
		return;
	log_info("SIGHUP: starting again");
	hand_over_children(master);
	reload_now(listener_hand_over(master->listen_fd));
}

static void run_until_stopped(struct master *master)
{
	int number = 0;

	while (number != SIGTERM && number != SIGINT && !master->failed) {
		notify_watchdog();
		number = signals_wait(pause_us(master));
		note_changes(master);
		watch(master);
		end_old(master, SIGTERM);
		if (number == SIGHUP)
			begin_afresh(master);
		start_missing(master);
	}
}

int prefork_reserve(const struct conf *conf)
{
	return (int)conf->workers;
}

int prefork_monitor(const struct conf *conf)
{
	return (int)conf->workers + 1;
}

int prefork_replica(const struct conf *conf)
{
	return (int)conf->workers + 2;
}

void prefork_run(const struct conf *conf, int listen_fd, prefork_work *work)
{
	struct master master = {
		.conf = conf,
		.listen_fd = listen_fd,
		.work = work,
		.count = prefork_replica(conf) + (*conf->read_database_file != '\0'),
	};

	master.children = calloc((size_t)master.count, sizeof *master.children);
	if (master.children == NULL)
		fatal("out of memory");
	adopt_old(&master);
	signals_hold();
	start_missing(&master);
	log_info("the API has started workers=%d version=%s", (int)conf->workers, PACKAGE_VERSION);
	notify_ready();
	run_until_stopped(&master);
	notify_stopping();
	stop(&master);
	log_info("the API has stopped");
	listener_remove(conf);
	free(master.children);
	if (master.failed)
		exit(EXIT_FAILURE);
}
