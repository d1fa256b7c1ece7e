#include "domain/analytics.h"

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/zone.h"
#include "domain/batch_json.h"
#include "domain/plan.h"

#define HOUR_US (60 * US_PER_MINUTE)
#define PACE_QUARTERS 8   /* the pace is measured over this many of the latest quarters with calls */
#define SEGMENTS_MAX 1000 /* an end after more spans than this is not predicted */

const char *const interval_names[INTERVAL__MAX + 1] = { "hour", "day", NULL };

void tally_add(struct tally *sum, const struct tally *more)
{
	sum->calls += more->calls;
	sum->timed += more->timed;
	sum->seconds += more->seconds;
	sum->cost_ten_thousandths += more->cost_ten_thousandths;
}

struct tally tallies_sum(const struct tallies *tallies)
{
	struct tally sum = { 0 };

	for (int status = 0; status < CALL_STATUS__MAX; status++)
		tally_add(&sum, &tallies->of[status]);
	return sum;
}

/* Wall times begin in 1970 here, so that division rounds down. */
static int64_t period_start(enum interval interval, int64_t wall_us)
{
	return wall_us - wall_us % (interval == INTERVAL_DAY ? US_PER_DAY : HOUR_US);
}

size_t analytics_periods(enum interval interval, const char *zone, const struct quarter *quarters, size_t count,
                         struct period *out)
{
	size_t periods = 0;

	for (size_t i = 0; i < count; i++) {
		const struct quarter *quarter = &quarters[i];
		int64_t wall_us = period_start(interval, zone_utc_to_wall(zone, quarter->from_us));

		if (periods == 0 || out[periods - 1].wall_us != wall_us)
			out[periods++] = (struct period){
				.wall_us = wall_us,
				.from_us = zone_wall_to_utc(zone, wall_us),
			};
		tally_add(&out[periods - 1].tallies.of[quarter->status], &quarter->tally);
	}
	return periods;
}

size_t analytics_cut(const struct period *periods, size_t count, const struct stretch_of_time *stretch,
                     const struct period **first)
{
	size_t from = 0, until = count;

	while (from < count && periods[from].wall_us < stretch->from_us)
		from++;
	while (until > from && periods[until - 1].wall_us >= stretch->until_us)
		until--;
	*first = periods + from;
	return until - from;
}

int64_t analytics_progress(const struct batch *batch)
{
	const struct batch_counts *counts = &batch->counts;

	if (counts->total == 0)
		return batch_is_over(batch->status) ? 10000 : 0;
	return (counts->total - counts->pending - counts->in_progress) * 10000 / counts->total;
}

/* Returns the time per call over the latest quarters with calls, or 0 if there are none. */
static int64_t measured_gap_us(const struct batch *batch, const struct quarter *quarters, size_t count, int64_t now_us)
{
	int64_t calls = 0, time_us = 0, last_us = INSTANT_NONE;
	int seen = 0;

	for (size_t i = count; i-- > 0;) {
		const struct quarter *quarter = &quarters[i];

		if (quarter->from_us != last_us) {
			if (seen++ == PACE_QUARTERS)
				break;
			last_us = quarter->from_us;
			time_us += max_of(0, min_of(last_us + QUARTER_US, now_us) - max_of(last_us, batch->started_at_us));
		}
		calls += quarter->tally.calls;
	}
	return calls == 0 ? 0 : time_us / calls;
}

/* Assumes that a contact takes as many attempts as the contacts did so far. */
static int64_t attempts_left(const struct batch *batch, const struct quarter *quarters, size_t count)
{
	const struct batch_counts *c = &batch->counts;
	int64_t left = c->pending + c->in_progress, calls = 0;
	int64_t called = c->completed + c->failed + c->voicemail + c->no_answer + c->busy;

	for (size_t i = 0; i < count; i++)
		calls += quarters[i].tally.calls;
	if (called > 0 && calls > called)
		left = (left * calls + called - 1) / called;
	return min_of(left, INT32_MAX);
}

/* Returns the last instant of `count` calls planned from now on; INSTANT_NONE if that cannot be predicted. */
static int64_t plan_end(const struct plan_rules *rules, struct plan_cursor cursor, int count)
{
	struct plan_segment segment;
	int planned, segments = 0;

	while (count > 0) {
		if (segments++ == SEGMENTS_MAX || plan_segments(rules, &cursor, count, &segment, 1, &planned) == 0)
			return INSTANT_NONE;
		count -= planned;
	}
	return cursor.next_us;
}

int64_t analytics_estimated_end(const struct batch *batch, const struct quarter *quarters, size_t count, int64_t now_us)
{
	struct plan_rules rules = batch_plan_rules(&batch->config);
	struct plan_cursor cursor = {
		.next_us = max_of(now_us, batch->config.scheduled_at.us),
		.day = batch->day,
		.day_calls = (int)batch->day_calls,
	};
	int64_t end_us;

	if (batch_is_over(batch->status))
		return batch->completed_at_us;
	if (!batch_is_running(batch->status))
		return INSTANT_NONE;
	/* only roughly right where contacts have calendars of their own */
	rules.calendar = batch_calendar(&batch->config, NULL);
	rules.gap_us = max_of(rules.gap_us, instant_ceil_ms(measured_gap_us(batch, quarters, count, now_us)));
	end_us = plan_end(&rules, cursor, (int)attempts_left(batch, quarters, count));
	return end_us == INSTANT_NONE ? INSTANT_NONE : max_of(end_us, batch->planned_until_us);
}

static void write_ratio(struct json *json, const char *key, int64_t part, int64_t whole)
{
	json_decimal4(json, key, whole == 0 ? -1 : (part * 10000 + whole / 2) / whole);
}

/* A contact that was called is being called, has a final outcome, waits for another attempt, or was cancelled together
 * with its call. */
int64_t analytics_waiting_retry(const struct batch_counts *c, const struct tallies *tallies)
{
	int64_t ended = c->completed + c->failed + c->voicemail + c->no_answer + c->busy +
	                tallies->of[CALL_CANCELLED].calls;

	return max_of(0, min_of(c->pending, c->called - c->in_progress - ended));
}

static void write_waiting(struct json *json, const struct batch_counts *counts, const struct tallies *tallies)
{
	int64_t retry = analytics_waiting_retry(counts, tallies);

	json_int(json, "waiting_first", counts->pending - retry);
	json_int(json, "waiting_retry", retry);
}

void analytics_write_totals(struct json *json, const struct batch_counts *c, const struct tallies *tallies)
{
	const struct tally *completed = &tallies->of[CALL_COMPLETED];
	struct tally sum = tallies_sum(tallies);

	batch_write_counts(json, c);
	write_waiting(json, c, tallies);
	json_int(json, "attempts", sum.calls + c->in_progress);
	/* the ended calls by outcome, as in the periods of the series */
	json_begin_object(json, "calls");
	json_int(json, "ended", sum.calls);
	for (int status = CALL_COMPLETED; status < CALL_STATUS__MAX; status++)
		json_int(json, call_status_names[status], tallies->of[status].calls);
	json_end(json);
	write_ratio(json, "answer_rate", c->completed, c->called);
	write_ratio(json, "call_answer_rate", completed->calls, sum.calls);
	write_ratio(json, "average_duration_seconds", completed->seconds, completed->timed);
	write_ratio(json, "total_minutes", sum.seconds, 60);
	json_decimal4(json, "total_cost", sum.cost_ten_thousandths);
}
