/* Tells the schedulers of this host that there is something to do, at once: what they are told may be lost, for they look
 * into the database several times a second anyway. A datagram on a socket in the abstract namespace, whose name is made of
 * the path of the database's option file: so installations on one host do not wake each other. */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <stdbool.h>

/* A socket that can be read when somebody has told something; -1: none is free, or there is none on this system. */
int wake_listen(const char *database_file);

/* Reads away what was told; false: nothing was. */
bool wake_clear(int fd);

/* Never waits, and fails silently. */
void wake_tell(const char *database_file);

#endif
