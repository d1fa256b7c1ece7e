/* Wakes the schedulers of this host when there is work. A wake-up may be lost, because the schedulers also look into
 * the database several times a second. It is a datagram to a socket in the abstract namespace. The path of the
 * database's option file is part of the socket's name, so installations on one host do not wake each other. */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <stdbool.h>

/* Returns a socket that becomes readable when a wake-up comes; -1 if none is free, or the system has no such sockets.
 */
int wake_listen(const char *database_file);

/* Reads all wake-ups. Returns false if there was none. */
bool wake_clear(int fd);

/* Sends a wake-up. Never waits, and fails silently. */
void wake_send(const char *database_file);

#endif
