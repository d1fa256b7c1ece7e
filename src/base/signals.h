/* Signals that ask a process to end (SIGTERM, SIGINT) or to start again (SIGHUP). */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* For a process that works: the signals set a flag and interrupt any wait. SIGPIPE is ignored. */
void signals_catch(void);
bool signals_stop_requested(void);
bool signals_reload_requested(void); /* whether SIGHUP came since the last call */

/* For a process that only waits: the signals and SIGCHLD are blocked, and signals_wait returns them, so that no signal
 * is missed. A child undoes this with signals_catch. */
void signals_hold(void);
int signals_wait(int64_t timeout_us); /* returns the number of the signal; 0 after the timeout */

#endif
