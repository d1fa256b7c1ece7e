/* A forecast of a campaign from its plan. It works on segments, never on single contacts, so a million contacts cost as
 * much as ten. */
#ifndef DOMAIN_FORECAST_H
#define DOMAIN_FORECAST_H

#include "domain/batch.h"

/* How a change of the plan moves its contacts. */
struct plan_shift {
	int64_t contacts;                       /* that were compared: both plans have them */
	int64_t earlier, later;                 /* of them */
	int64_t most_earlier_us, most_later_us; /* >= 0 */
	int64_t mean_us;                        /* over all contacts; > 0: later */
};

struct plan_shift forecast_shift(const struct plan_segment *before, int before_count, const struct plan_segment *after,
                                 int after_count);

/* Assumptions about the calls. */
struct forecast_terms {
	int64_t call_us;        /* how long a call takes */
	int64_t answer_rate;    /* in ten-thousandths; a call that is not answered is retried as configured */
	int64_t numbers_gap_us; /* between two calls, by the paces of the numbers; 0: they have none */
};

struct forecast {
	int64_t calls;          /* retries included */
	int64_t ends_at_us;     /* INSTANT_NEVER: cannot be predicted, see planned */
	int day_count, planned; /* planned < calls: `days` is full, or no later day can take a call */
};

/* Plans the contacts of the groups from `cursor` on, each with the retries that it probably needs, and no faster than
 * calls end. */
struct forecast forecast_campaign(const struct batch_config *config, struct plan_cursor cursor,
                                  const struct plan_group *groups, int group_count, const struct forecast_terms *terms,
                                  struct plan_day *days, int max_days);

#endif
