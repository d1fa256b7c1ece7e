#include "api/overview.h"

#include "api/reply.h"
#include "api/webhooks.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/zone.h"
#include "domain/batch_json.h"
#include "store/campaign_list.h"
#include "store/overview_store.h"

#define HOURS 24
#define FAILED_MAX 10

struct overview_parameters {
	const char *timezone;
};

static const struct overview_parameters initial = { .timezone = "UTC" };

FIELD_TABLE(overview_query, struct overview_parameters, &initial,
            FIELD(struct overview_parameters, timezone, STRING, .min = 1, .max = 64, .check = zone_check));

/* A local day, and the calls that were placed in each of its hours. */
struct day {
	const char *zone;
	bool is_known; /* the zone can be read */
	int64_t wall_us, from_us, until_us;
	struct tallies hours[HOURS], all;
};

static struct day today(const char *zone, int64_t now_us)
{
	struct day day = { .zone = zone, .is_known = zone_trouble(zone) == NULL };

	if (!day.is_known)
		return day;
	day.wall_us = zone_utc_to_wall(zone, now_us);
	day.wall_us -= day.wall_us % US_PER_DAY;
	day.from_us = zone_wall_to_utc(zone, day.wall_us);
	day.until_us = zone_wall_to_utc(zone, day.wall_us + US_PER_DAY);
	return day;
}

/* An hour that the clocks show twice is one bar of two hours. */
static void fill(struct day *day, const struct quarter *quarters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t hour = (zone_utc_to_wall(day->zone, quarters[i].from_us) - day->wall_us) / (60 * US_PER_MINUTE);

		if (hour < 0 || hour >= HOURS)
			continue;
		tally_add(&day->hours[hour].of[quarters[i].status], &quarters[i].tally);
		tally_add(&day->all.of[quarters[i].status], &quarters[i].tally);
	}
}

static void write_tallies(struct json *json, const struct tallies *tallies)
{
	struct tally sum = tallies_sum(tallies);

	json_int(json, "calls", sum.calls);
	json_int(json, "completed", tallies->of[CALL_COMPLETED].calls);
	json_decimal4(json, "minutes", (sum.seconds * 10000 + 30) / 60);
	json_decimal4(json, "cost", sum.cost_ten_thousandths);
}

static void write_day(struct json *json, const struct day *day)
{
	if (!day->is_known) {
		json_add_null(json, "today");
		return;
	}
	json_begin_object(json, "today");
	json_date(json, "date", (int32_t)(day->wall_us / US_PER_DAY));
	json_add_string(json, "timezone", day->zone);
	write_tallies(json, &day->all);
	json_begin_array(json, "hours");
	for (int hour = 0; hour < HOURS; hour++) {
		json_begin_object(json, NULL);
		json_int(json, "hour", hour);
		write_tallies(json, &day->hours[hour]);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

static void write_campaigns(struct json *json, const struct campaign_totals *totals)
{
	json_begin_object(json, "campaigns");
	for (int status = 0; status < BATCH_STATUS__MAX; status++)
		json_int(json, batch_status_names[status], totals->of[status]);
	json_end(json);
}

static void write_needs(struct json *json, const struct overview *overview, const struct listing *failed,
                        int64_t failed_since_us)
{
	const struct batch *campaigns = failed->items;

	json_begin_array(json, "webhooks");
	for (size_t i = 0; i < overview->webhook_count; i++)
		json_add_object(json, NULL, webhook_write, &overview->webhooks[i]);
	json_end(json);
	json_begin_object(json, "deliveries");
	json_int(json, "waiting", overview->deliveries_waiting);
	json_int(json, "failed_24h", overview->deliveries_failed);
	json_end(json);
	json_begin_array(json, "failed_campaigns");
	for (size_t i = 0; i < failed->count; i++)
		if (campaigns[i].completed_at_us >= failed_since_us)
			json_add_object(json, NULL, batch_write, &campaigns[i]);
	json_end(json);
}

enum db_result overview_show(struct request *request)
{
	const struct overview_parameters *query = request->query != NULL ? request->query : &initial;
	const struct campaign_filter failed_ones = {
		.statuses = 1u << BATCH_FAILED, .search = "", .sort = CAMPAIGN_SORT_UPDATED_AT, .descending = true
	};
	int64_t organization = request->key.organization_id, now_us = clock_now_us(), yesterday_us = now_us - US_PER_DAY;
	struct page page = { .limit = FAILED_MAX, .cursor = "" };
	struct day day = today(query->timezone, now_us);
	struct campaign_totals totals;
	struct overview overview;
	struct listing failed;
	struct json *json;

	DB_TRY(campaign_list(request->db, organization, &failed_ones, &page, request->arena, &totals, &failed));
	DB_TRY(overview_load(request->db, organization, day.from_us, day.until_us, yesterday_us, request->arena,
	                     &overview));
	fill(&day, overview.quarters, overview.quarter_count);
	json = reply_begin_object(request, 200);
	write_campaigns(json, &totals);
	json_int(json, "calls_in_flight", overview.calls_in_flight);
	json_int(json, "places", overview.places);
	write_day(json, &day);
	write_needs(json, &overview, &failed, yesterday_us);
	return reply_end_object(request);
}
