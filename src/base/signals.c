#include "base/signals.h"

#include <signal.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"

static volatile sig_atomic_t stop_requested, reload_requested;

static void request_reload(int number)
{
	(void)number;
	reload_requested = 1;
}

static void request_stop(int number)
{
	(void)number;
	stop_requested = 1;
}

void signals_catch(void)
{
	struct sigaction stop = { .sa_handler = request_stop }; /* no SA_RESTART: waiting ends with EINTR */
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction reload = { .sa_handler = request_reload };
	sigset_t none;

	sigemptyset(&none);
	if (sigaction(SIGTERM, &stop, NULL) != 0 || sigaction(SIGINT, &stop, NULL) != 0 ||
	    sigaction(SIGHUP, &reload, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		fatal("cannot set up signals: %m");
}

bool signals_stop_requested(void)
{
	return stop_requested != 0;
}

bool signals_reload_requested(void)
{
	bool requested = reload_requested != 0;

	reload_requested = 0;
	return requested;
}

static sigset_t held(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	return set;
}

void signals_hold(void)
{
	sigset_t set = held();

	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		fatal("cannot set up signals: %m");
}

int signals_wait(int64_t timeout_us)
{
	sigset_t set = held();
	struct timespec timeout = {
		.tv_sec = timeout_us / US_PER_SECOND,
		.tv_nsec = timeout_us % US_PER_SECOND * 1000,
	};
	int number = sigtimedwait(&set, NULL, &timeout);

	return number > 0 ? number : 0;
}
