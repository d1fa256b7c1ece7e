/* While a long statement of `outdial migrate` runs, a child process reports every few seconds what the server does, and
 * which sessions may block it. */
#ifndef STORE_MIGRATE_WATCH_H
#define STORE_MIGRATE_WATCH_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Watches the connection with that id. Returns the child; -1: there is none, and nothing is reported. */
pid_t migrate_watch_begin(const char *option_file, const char *name, int64_t connection, FILE *progress);
void migrate_watch_end(pid_t child);

#endif
