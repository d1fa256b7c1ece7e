/* How a process is asked to end, by SIGTERM or SIGINT, and to begin afresh, by SIGHUP. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* For a process that works: the signals set a flag and interrupt what it waits in. SIGPIPE is ignored. */
void signals_catch(void);
bool signals_stop_requested(void);
bool signals_reload_requested(void); /* SIGHUP came since this was asked the last time */

/* For a process that only waits: the signals (and SIGCHLD) are blocked and come out of signals_wait,
 * so that none is missed. A child undoes this with signals_catch. */
void signals_hold(void);
int signals_wait(int64_t timeout_us); /* the signal's number; 0 when the time is over */

#endif
