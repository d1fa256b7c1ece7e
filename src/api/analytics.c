#include "api/analytics.h"

#include <string.h>

#include "api/numbers.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/zone.h"
#include "store/analytics_store.h"
#include "store/batch_store.h"
#include "store/call_store.h"

struct analytics_parameters {
	int interval;
	const char *from, *to;
	bool by_number;
};

static const struct analytics_parameters initial = { .interval = INTERVAL_DAY, .from = "", .to = "" };

/* Reads "2026-11-21" or "2026-11-21T09:00": a time in the campaign's zone. */
static bool parse_local(const char *text, int64_t *wall_us)
{
	struct when when;
	int32_t day;

	if (date_parse(text, &day)) {
		*wall_us = day * US_PER_DAY;
		return true;
	}
	*wall_us = when_parse(text, &when) ? when.us : 0;
	return strlen(text) == 16 && when_parse(text, &when) && when.is_wall;
}

static const char *check_local(struct arena *arena, const char **text)
{
	int64_t wall_us;

	(void)arena;
	return parse_local(*text, &wall_us) ? NULL : "must be a local date or time, such as 2026-11-21 or 2026-11-21T09:00";
}

#define PARAMETER(member, kind, ...) FIELD(struct analytics_parameters, member, kind, __VA_ARGS__)
FIELD_TABLE(analytics_query, struct analytics_parameters, &initial,
            PARAMETER(interval, CHOICE, .choices = interval_names),
            PARAMETER(from, STRING, .min = 1, .max = 32, .check = check_local),
            PARAMETER(to, STRING, .min = 1, .max = 32, .check = check_local), PARAMETER(by_number, BOOL));

static enum db_result write_reasons(struct json *json, const char *key, const char *name, struct request *request,
                                    int64_t batch_id, enum reason_kind kind)
{
	const struct reason *reasons;
	size_t count;

	DB_TRY(analytics_reasons(request->db, batch_id, kind, request->arena, &reasons, &count));
	json_begin_array(json, key);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, name, reasons[i].text);
		json_int(json, "calls", reasons[i].calls);
		json_end(json);
	}
	json_end(json);
	return DB_OK;
}

static void write_period(struct json *json, enum interval interval, const struct period *period)
{
	struct tally sum = tallies_sum(&period->tallies);
	char text[32];

	json_begin_object(json, NULL);
	/* "2026-11-21", or "2026-11-21T09:00" if a period is an hour */
	instant_format_iso(period->wall_us, text);
	json_string_n(json, "period", text, interval == INTERVAL_DAY ? 10 : 16);
	json_instant(json, "starts_at", period->from_us);
	json_int(json, "attempts", sum.calls);
	for (int status = CALL_COMPLETED; status < CALL_STATUS__MAX; status++)
		json_int(json, call_status_names[status], period->tallies.of[status].calls);
	json_decimal4(json, "minutes", (sum.seconds * 10000 + 30) / 60);
	json_decimal4(json, "cost", sum.cost_ten_thousandths);
	json_end(json);
}

static struct stretch_of_time stretch_of(const struct analytics_parameters *query)
{
	struct stretch_of_time stretch = { INT64_MIN, INT64_MAX };

	if (*query->from != '\0')
		parse_local(query->from, &stretch.from_us);
	if (*query->to != '\0')
		parse_local(query->to, &stretch.until_us);
	return stretch;
}

/* Only on request, because single calls are read for this. */
static enum db_result write_numbers(struct json *json, const struct request *request, int64_t batch_id)
{
	struct number_tally *tallies;
	int64_t all = 0;
	size_t count;

	DB_TRY(call_tally_of_campaign(request->db, batch_id, request->arena, &tallies, &count));
	json_begin_array(json, "numbers");
	for (size_t i = 0; i < count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, "from_number", tallies[i].from_number);
		all += numbers_write_tally(json, tallies[i].counts);
		json_end(json);
	}
	json_end(json);
	json_bool(json, "numbers_are_exact", all < CALLS_TALLIED_MAX);
	return DB_OK;
}

/* Without the zone, the hours and days of the series are not known. */
static void write_series(struct json *json, const struct analytics_parameters *query, const char *zone,
                         const struct quarter *quarters, size_t count, struct arena *arena)
{
	enum interval interval = (enum interval)query->interval;
	struct period *periods = arena_alloc(arena, count * sizeof *periods);
	struct stretch_of_time stretch = stretch_of(query);
	const struct period *first;
	size_t period_count;

	json_add_string(json, "interval", interval_names[interval]);
	json_add_string(json, "timezone", zone);
	if (zone_trouble(zone) != NULL) {
		json_add_null(json, "series");
		return;
	}
	period_count = analytics_periods(interval, zone, quarters, count, periods);
	period_count = analytics_cut(periods, period_count, &stretch, &first);
	json_begin_array(json, "series");
	for (size_t i = 0; i < period_count; i++)
		write_period(json, interval, &first[i]);
	json_end(json);
}

static struct tallies add_up(const struct quarter *quarters, size_t count)
{
	struct tallies tallies = { 0 };

	for (size_t i = 0; i < count; i++)
		tally_add(&tallies.of[quarters[i].status], &quarters[i].tally);
	return tallies;
}

enum db_result batch_analytics(struct request *request)
{
	const struct analytics_parameters *query = request->query;
	const struct quarter *quarters;
	struct tallies tallies;
	struct batch batch;
	struct json *json;
	size_t count;

	if (stretch_of(query).from_us >= stretch_of(query).until_us) {
		fault_add(&request->faults, "to", "must be after from");
		return reply_refuse_faults(request, ERROR_BAD_REQUEST);
	}
	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(analytics_quarters(request->db, batch.id, request->arena, &quarters, &count));
	tallies = add_up(quarters, count);
	json = reply_begin_object(request, 200);
	json_id(json, "batch_id", &batch.uuid);
	json_add_string(json, "status", batch_status_names[batch.status]);
	analytics_write_totals(json, &batch.counts, &tallies);
	DB_TRY(write_reasons(json, "outcomes", "outcome", request, batch.id, REASON_OUTCOME));
	DB_TRY(write_reasons(json, "end_reasons", "end_reason", request, batch.id, REASON_END_REASON));
	if (query->by_number)
		DB_TRY(write_numbers(json, request, batch.id));
	write_series(json, query, batch.config.timezone, quarters, count, request->arena);
	json_decimal4(json, "progress", analytics_progress(&batch));
	json_instant(json, "estimated_end", analytics_estimated_end(&batch, quarters, count, clock_now_us()));
	return reply_end_object(request);
}
