/* The counters of all processes of an installation, for the metrics. A process counts in memory, which the
 * processes of its program share, and a program adds its counts to the table `figures` about once a second. So
 * counting costs no statement. A program that is killed loses the counts of its last second. */
#ifndef STORE_FIGURES_H
#define STORE_FIGURES_H

#include "base/histogram.h"
#include "store/db.h"

enum figure {                             /* numbers are stored */
	          FIGURE_CALLS,               /* calls that ended; slot: enum call_status */
	          FIGURE_RETRIES,             /* retries that were planned */
	          FIGURE_WEBHOOKS,            /* webhooks sent; series: enum deliver_kind, slot: enum outcome */
	          FIGURE_WEBHOOK_SECONDS,     /* how long they took; series: enum deliver_kind */
	          FIGURE_TRANSACTION_SECONDS, /* how long transactions took, with all runs; series: enum figures_program */
	          FIGURE_DISPATCH_LAG,        /* from when a scheduler could have begun a call to its request */
	          FIGURE__MAX
};

enum figures_program { FIGURES_API, FIGURES_SCHEDULER, FIGURES_PROGRAM__MAX }; /* numbers are stored */

#define FIGURE_SERIES 2
#define FIGURE_SLOTS 32               /* of a series; numbers are stored */
#define FIGURE_SUM (FIGURE_SLOTS - 1) /* of a histogram: the sum, in microseconds; its buckets begin at slot 0 */

/* Before the first fork: which program this is. The processes that are forked count together. Programs that do not call
 * it time no transactions. */
void figures_share(enum figures_program program);

void figures_count(enum figure figure, int series, int slot, int64_t count);
void figures_observe(enum figure figure, int series, int64_t us);
void figures_observe_transaction(int64_t us); /* of this program */

/* Adds the counts to the table, by any process of a program. After a failure they are kept for the next time. */
enum db_result figures_flush(struct db *db);
/* The same, if the last time was about a second ago. */
enum db_result figures_flush_in_time(struct db *db);

struct figures {
	int64_t counted[FIGURE__MAX][FIGURE_SERIES][FIGURE_SLOTS];
};

enum db_result figures_read(struct db *db, struct arena *arena, struct figures *out);

#endif
