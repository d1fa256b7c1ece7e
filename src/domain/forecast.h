/* What is to be expected of a campaign, by its plan: segments, never single contacts, so that a million cost what
 * ten do. */
#ifndef DOMAIN_FORECAST_H
#define DOMAIN_FORECAST_H

#include "domain/batch.h"

/* How a change of the plan moves its contacts. */
struct plan_shift {
	int64_t contacts;                        /* compared: those that both plans have */
	int64_t earlier, later;                  /* of them */
	int64_t most_earlier_us, most_later_us;  /* >= 0 */
	int64_t mean_us;                         /* over all; > 0: later */
};

struct plan_shift forecast_shift(const struct plan_segment *before, int before_count,
                                 const struct plan_segment *after, int after_count);

/* What is assumed of the calls. */
struct forecast_terms {
	int64_t call_us;          /* how long a call takes */
	int64_t answer_rate;      /* in ten-thousandths; what is not answered is tried again, as far as that is configured */
	int64_t numbers_gap_us;   /* between two calls, as the paces of its numbers have it; 0: they have none */
};

struct forecast {
	int64_t calls;            /* retries included */
	int64_t ends_at_us;       /* INSTANT_NEVER: not to be told, see planned */
	int day_count, planned;   /* planned < calls: `days` is full, or no further day can take a call */
};

/* The contacts of the groups from `cursor` on, each with the retries it is likely to need, no faster than calls end. */
struct forecast forecast_campaign(const struct batch_config *config, struct plan_cursor cursor,
                                  const struct plan_group *groups, int group_count,
                                  const struct forecast_terms *terms, struct plan_day *days, int max_days);

#endif
