#include "domain/forecast.h"

#include <math.h>
#include <stdlib.h>

#include "base/instant.h"
#include "base/least.h"
#include "base/log.h"

/* Returns how many k = 0 … n - 1 have a + b * k > 0. */
static int64_t count_positive(int64_t a, int64_t b, int64_t n)
{
	int64_t count;

	if (b == 0)
		return a > 0 ? n : 0;
	if (b > 0)
		count = n - (a > 0 ? 0 : -a / b + 1);
	else
		count = a <= 0 ? 0 : (a - 1) / -b + 1;
	return count < 0 ? 0 : count > n ? n : count;
}

/* Adds a piece of both plans within which the shift grows by `step_us` from contact to contact. */
static void add_piece(struct plan_shift *shift, double *sum_us, int64_t first_us, int64_t step_us, int64_t n)
{
	int64_t last_us = first_us + step_us * (n - 1);

	shift->contacts += n;
	shift->later += count_positive(first_us, step_us, n);
	shift->earlier += count_positive(-first_us, -step_us, n);
	shift->most_later_us = max_of(shift->most_later_us, max_of(first_us, last_us));
	shift->most_earlier_us = max_of(shift->most_earlier_us, max_of(-first_us, -last_us));
	*sum_us += ((double)first_us + (double)last_us) / 2 * (double)n;
}

struct plan_shift forecast_shift(const struct plan_segment *before, int before_count, const struct plan_segment *after,
                                 int after_count)
{
	struct plan_shift shift = { 0 };
	double sum_us = 0;
	int b = 0, a = 0, b_done = 0, a_done = 0; /* segments, and contacts within them */

	while (b < before_count && a < after_count) {
		int64_t from_us = before[b].first_us + b_done * before[b].gap_us;
		int64_t to_us = after[a].first_us + a_done * after[a].gap_us;
		int b_left = before[b].count - b_done, a_left = after[a].count - a_done;
		int n = b_left < a_left ? b_left : a_left;

		add_piece(&shift, &sum_us, to_us - from_us, after[a].gap_us - before[b].gap_us, n);
		b_done = n == b_left ? 0 : b_done + n;
		a_done = n == a_left ? 0 : a_done + n;
		b += n == b_left;
		a += n == a_left;
	}
	if (shift.contacts != 0)
		shift.mean_us = (int64_t)llround(sum_us / (double)shift.contacts);
	return shift;
}

/* Returns how many attempts a contact may need, and how many the contacts need together. */
static int64_t expected_calls(const struct retry_rules *retry, int64_t contacts, double missed, int *attempts)
{
	int most = call_most_retries(retry) + 1;
	double calls = 0, left = (double)contacts;

	for (*attempts = 0; *attempts < most && left >= 0.5; ++*attempts) {
		calls += left;
		left *= missed;
	}
	return (int64_t)llround(calls);
}

/* Returns when the retries of the last contact are over. */
static int64_t last_retry(const struct calendar *calendar, const struct retry_rules *retry, int64_t at_us, int attempts,
                          int64_t call_us)
{
	struct span span;

	for (int attempt = 1; attempt < attempts; attempt++) {
		at_us += call_us + call_longest_delay_us(retry, attempt);
		if (calendar_find_span(calendar, at_us, &span) == CALENDAR_SPAN)
			at_us = max_of(at_us, span.from_us);
	}
	return at_us;
}

static int64_t sum_of(const struct plan_group *groups, int count)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += groups[i].left;
	return sum;
}

/* Plans as many calls as are expected, day by day. The groups share them in proportion to their contacts. */
static int plan_calls(const struct plan_rules *rules, struct plan_cursor cursor, const struct plan_group *groups,
                      int group_count, int64_t calls, struct plan_day *days, int max_days, int *planned)
{
	struct plan_group *copies = calloc((size_t)group_count, sizeof *copies);
	int64_t contacts = sum_of(groups, group_count), given = 0, seen = 0;
	int count;

	if (copies == NULL)
		fatal("out of memory");
	for (int i = 0; i < group_count; i++) {
		copies[i] = groups[i];
		seen += groups[i].left;
		copies[i].left = contacts == 0 ? 0 : calls * seen / contacts - given;
		given += copies[i].left;
	}
	count = plan_days(rules, copies, group_count, &cursor, (int)calls, days, max_days, planned);
	free(copies);
	return count;
}

static int64_t last_of(const struct plan_rules *rules, struct plan_cursor cursor, const struct plan_group *groups,
                       int group_count, struct plan_day *days, int max_days)
{
	int planned,
		count = plan_calls(rules, cursor, groups, group_count, sum_of(groups, group_count), days, max_days, &planned);

	return count == 0 ? INSTANT_NONE : days[count - 1].last_us;
}

struct forecast forecast_campaign(const struct batch_config *config, struct plan_cursor cursor,
                                  const struct plan_group *groups, int group_count, const struct forecast_terms *terms,
                                  struct plan_day *days, int max_days)
{
	struct plan_rules rules = batch_plan_rules(config);
	struct retry_rules retry = batch_retry_rules(config);
	struct forecast out = { .ends_at_us = INSTANT_NEVER };
	int64_t contacts = sum_of(groups, group_count), first_round_us;
	int attempts;

	out.calls = expected_calls(&retry, contacts, 1 - (double)terms->answer_rate / 10000, &attempts);
	rules.gap_us = max_of(max_of(rules.gap_us, terms->numbers_gap_us),
	                      instant_ceil_ms(terms->call_us / config->max_concurrent_calls));
	first_round_us = last_of(&rules, cursor, groups, group_count, days, max_days);
	out.day_count = plan_calls(&rules, cursor, groups, group_count, out.calls, days, max_days, &out.planned);
	if (out.planned < out.calls || out.day_count == 0)
		return out;
	out.ends_at_us = max_of(days[out.day_count - 1].last_us,
	                        last_retry(&rules.calendar, &retry, first_round_us, attempts, terms->call_us)) +
	                 terms->call_us;
	return out;
}
