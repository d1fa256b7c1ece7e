/* Whether the database is away: the processes of one program share this knowledge. While it is away, one of them
 * asks twice a second, and the others do not wait for it. The log has a line when it goes away, and a line when it
 * is back. */
#ifndef STORE_OUTAGE_H
#define STORE_OUTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the processes that are forked later share what each of them finds out. Call it before the first fork. */
void outage_share(void);
/* For a program that itself reports that the database does not answer: the log gets no lines about outages. */
void outage_log_nothing(void);

bool outage_is_on(void);
/* Returns how long the outage lasts; 0: the database is there. */
int64_t outage_lasts_us(void);
/* Returns whether this process may ask the database: always while it is there; while it is away, only in its turn. */
bool outage_may_ask(void);

/* Records that the database answers but takes no writes: transactions fail at once. Only the process that tests this
 * again and again calls it. */
void outage_stop_writes(bool stopped, const char *message);
bool outage_stops_writes(void);

void outage_begins(const char *message);
void outage_ends(void);
/* Logs, at most every ten seconds, that the database has no free connection for this process. */
void outage_warn_full(const char *message);

/* Counts connections that were lost, and transactions that met a conflict, since the program started, over all its
 * processes. */
void outage_count_lost(void);
void outage_count_conflict(void);
int64_t outage_lost(void);
int64_t outage_conflicts(void);

/* Returns the host of the list that takes the writes; 0 at the start. See store/db_writer.h. */
size_t outage_host(void);
/* Changes the host that takes the writes. Returns false if another process has changed it meanwhile. */
bool outage_move_host(size_t from, size_t to);
/* Records that a connection to this host was lost. It was last used at this time (monotonic). */
void outage_host_lost(size_t host, int64_t used_at_us);
/* Records a connection to this host. Returns true in one process if the last connection was to another host; then
 * *gap_us is how long no writes were possible. */
bool outage_host_found(size_t host, int64_t *gap_us);
/* Makes this earlier host, which takes writes again, the host that takes the writes. */
bool outage_go_back(size_t host);
/* Returns whether it is this process's turn to look for an earlier host. */
bool outage_may_look_back(void);
/* Return how often the writes moved after a loss, and how long the last such move took. */
int64_t outage_moves(void);
int64_t outage_move_us(void);

#endif
