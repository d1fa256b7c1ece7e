/* Messages to systemd, if it runs this process: ready, alive, stopping. Without systemd nothing happens. */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_watchdog(void); /* call it at least every second */
void notify_stopping(void);

#endif
