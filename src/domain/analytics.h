/* Sums over the calls of a campaign. Ended attempts are counted by status and by the quarter of an hour (UTC) in
 * which they were placed. Every local hour and day consists of whole quarters in any zone. */
#ifndef DOMAIN_ANALYTICS_H
#define DOMAIN_ANALYTICS_H

#include "base/json.h"
#include "domain/batch.h"

#define QUARTER_US (15 * US_PER_MINUTE)

struct tally {
	int64_t calls; /* that ended */
	int64_t timed; /* of these calls, how many have a reported duration */
	int64_t seconds;
	int64_t cost_ten_thousandths;
};

void tally_add(struct tally *sum, const struct tally *more);

/* Indexed by enum call_status; only statuses of ended calls are ever above zero. */
struct tallies {
	struct tally of[CALL_STATUS__MAX];
};

struct tally tallies_sum(const struct tallies *tallies);

struct quarter {
	int64_t from_us;
	enum call_status status;
	struct tally tally;
};

/* A stretch of local time, with the calls that were placed in it. */
enum interval { INTERVAL_HOUR, INTERVAL_DAY, INTERVAL__MAX };
extern const char *const interval_names[INTERVAL__MAX + 1];

struct period {
	int64_t wall_us; /* local wall time at its start */
	int64_t from_us;
	struct tallies tallies;
};

/* Local wall times, from from_us on and before until_us. */
struct stretch_of_time {
	int64_t from_us, until_us;
};

/* Adds up quarters (ascending) into periods; periods without calls are left out. `out` has room for `count`. An hour
 * that the clocks show twice is one period of two hours. Returns the number of periods. */
size_t analytics_periods(enum interval interval, const char *zone, const struct quarter *quarters, size_t count,
                         struct period *out);
/* Finds the periods that begin in the stretch. *first is the first of them. Returns their number. */
size_t analytics_cut(const struct period *periods, size_t count, const struct stretch_of_time *stretch,
                     const struct period **first);

/* Returns the share of the contacts that are finished, in ten-thousandths. */
int64_t analytics_progress(const struct batch *batch);

/* Returns when the last contact will have been called: the end of the plan, or the end of the rest at the pace of the
 * last two hours with calls, whichever is later, within the same windows and caps. For a campaign that is over, returns
 * when it ended. INSTANT_NONE: the campaign does not run, or does not end within the next years. */
int64_t analytics_estimated_end(const struct batch *batch, const struct quarter *quarters, size_t count,
                                int64_t now_us);

/* Returns how many of the waiting contacts were called before and wait for another attempt. `tallies` has all ended
 * calls. */
int64_t analytics_waiting_retry(const struct batch_counts *counts, const struct tallies *tallies);

/* Writes the counters and the totals of the ended calls as members of an open object. */
void analytics_write_totals(struct json *json, const struct batch_counts *counts, const struct tallies *tallies);

#endif
