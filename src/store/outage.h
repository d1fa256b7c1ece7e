/* Whether the database is away, as the processes of one program know it together. While it is away, one of them asks
 * twice a second, and nobody else waits for an answer. The log has one line when it goes and one when it is back. */
#ifndef STORE_OUTAGE_H
#define STORE_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Before the first fork: what any of the processes learns from now on, all know. */
void outage_share(void);

bool outage_is_on(void);
/* How long it lasts; 0: the database is there. */
int64_t outage_lasts_us(void);
/* Whether it is this process's turn to ask. Always while the database is there. */
bool outage_may_ask(void);

/* The database answers, and takes no writes: transactions fail at once. For one process that looks again and again. */
void outage_stop_writes(bool stopped, const char *message);
bool outage_stops_writes(void);

void outage_begins(const char *message);
void outage_ends(void);

/* Connections that were lost since the program started, in all its processes; and transactions that met a conflict. */
void outage_count_lost(void);
void outage_count_conflict(void);
int64_t outage_lost(void);
int64_t outage_conflicts(void);

#endif
