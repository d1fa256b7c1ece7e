#include "api/forecast.h"

#include <stddef.h>
#include <string.h>

#include "api/batch_calls.h"
#include "api/calling_hours.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/zone.h"
#include "domain/forecast.h"
#include "domain/pace.h"
#include "engine/forecast_facts.h"
#include "engine/planning.h"

#define MAX_DAYS 366

struct preview_input {
	const char *changes;          /* a JSON object; "": none */
	int64_t average_call_seconds; /* 0: not given */
	int64_t answer_rate;          /* in ten-thousandths */
};

static const struct preview_input preview_initial = { .changes = "", .answer_rate = 10000 };

#define PREVIEW(member, kind, ...) FIELD(struct preview_input, member, kind, __VA_ARGS__)
FIELD_TABLE(preview_fields, struct preview_input, &preview_initial,
            PREVIEW(changes, OBJECT, .flags = FIELD_NULLABLE, .max = 1 << 20),
            PREVIEW(average_call_seconds, INT, .flags = FIELD_NULLABLE, .min = 1, .max = 86400),
            PREVIEW(answer_rate, DECIMAL, .min = 0, .max = 10000));

static enum db_result refuse_changes(struct request *request, const struct faults *faults)
{
	request->faults.count = 0;
	for (size_t i = 0; i < faults->count; i++)
		fault_add(&request->faults, arena_printf(request->arena, "changes.%s", faults->list[i].field), "%s",
		          faults->list[i].reason);
	return reply_refuse_faults(request, ERROR_VALIDATION);
}

/* Applies `changes` to the campaign. */
static enum db_result change(struct request *request, struct campaign_request *campaign)
{
	const struct preview_input *input = request->input;
	struct faults faults = { .arena = request->arena };
	enum db_result result;

	*campaign = batch_calls_campaign(request, NULL);
	campaign->table = &batch_fields;
	campaign->config = *(const struct batch_config *)batch_fields.initial;
	if (field_read(&batch_fields, FIELD_CHANGE, input->changes, strlen(input->changes), &campaign->config,
	               &campaign->given, &faults) != FIELD_OK)
		return refuse_changes(request, &faults);
	result = campaign_preview(request->db, campaign);
	if (result == DB_REFUSED && campaign->refusal == REFUSED_FIELDS)
		return refuse_changes(request, &campaign->faults);
	if (result == DB_REFUSED && campaign->refusal == REFUSED_STATE)
		return reply_refuse(request, ERROR_INVALID_STATE,
		                    "No contact waits in a campaign that is %s, so there is no forecast.",
		                    batch_status_names[campaign->batch.status]);
	return result == DB_REFUSED ? batch_calls_refuse(request, campaign, BATCH_CHANGE) : result;
}

static void write_days(struct json *json, const char *counted, const struct plan_day *days, int count)
{
	json_begin_array(json, "days");
	for (int i = 0; i < count; i++) {
		json_begin_object(json, NULL);
		json_date(json, "date", days[i].day);
		json_int(json, counted, days[i].contacts);
		json_instant(json, "first_at", days[i].first_us);
		json_instant(json, "last_at", days[i].last_us);
		json_end(json);
	}
	json_end(json);
}

/* Writes the contacts that cannot be planned now, because a zone cannot be read. Returns their number. */
static int64_t write_held(struct json *json, const struct plan_group *groups, int group_count)
{
	char trouble[BATCH_ZONE_TROUBLE];
	int64_t held = 0;
	int first = -1;

	for (int i = group_count - 1; i >= 0; i--)
		if (groups[i].answer == CALENDAR_UNREADABLE && groups[i].left > 0) {
			held += groups[i].left;
			first = i;
		}
	if (held == 0 || !batch_write_zone_trouble(trouble, &groups[first].calendar, 0)) {
		json_add_null(json, "held");
		return held;
	}
	json_begin_object(json, "held");
	json_int(json, "contacts", held);
	json_add_string(json, "reason", trouble);
	json_end(json);
	return held;
}

/* Returns the number of contacts for which no day is left. */
static int64_t write_plan(struct json *json, const struct batch *batch, struct plan_group *groups, int group_count,
                          struct plan_day *days)
{
	struct plan_rules rules = batch_plan_rules(&batch->config);
	struct plan_cursor cursor = batch->plan;
	int planned,
		count = plan_days(&rules, groups, group_count, &cursor, (int)batch->counts.pending, days, MAX_DAYS, &planned);
	int64_t held;

	json_add_string(json, "timezone", batch->config.timezone);
	json_int(json, "contacts", batch->counts.pending);
	json_int(json, "planned", planned);
	json_instant(json, "planned_from", count == 0 ? INSTANT_NONE : days[0].first_us);
	json_instant(json, "planned_until", count == 0 ? INSTANT_NONE : days[count - 1].last_us);
	write_days(json, "contacts", days, count);
	held = write_held(json, groups, group_count);
	return count == MAX_DAYS ? 0 : batch->counts.pending - planned - held;
}

static void write_estimate(struct json *json, const struct batch *batch, const struct plan_group *groups,
                           int group_count, const struct preview_input *input, int64_t numbers_gap_us,
                           struct plan_day *days)
{
	struct forecast_terms terms = {
		.call_us = input->average_call_seconds * US_PER_SECOND,
		.answer_rate = input->answer_rate,
		.numbers_gap_us = numbers_gap_us,
	};
	struct forecast forecast;

	if (input->average_call_seconds == 0) {
		json_add_null(json, "estimate");
		return;
	}
	forecast = forecast_campaign(&batch->config, batch->plan, groups, group_count, &terms, days, MAX_DAYS);
	json_begin_object(json, "estimate");
	json_int(json, "calls", forecast.calls);
	json_instant(json, "estimated_end", forecast.ends_at_us);
	write_days(json, "calls", days, forecast.day_count);
	json_end(json);
}

static void write_never(struct json *json, const struct never_called *never, int64_t without_day)
{
	json_begin_array(json, "never_called");
	for (size_t i = 0; i < never->count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, "reason", skip_reason_names[never->list[i].reason]);
		json_int(json, "contacts", never->list[i].contacts);
		json_begin_array(json, "first_positions");
		for (int p = 0; p < never->list[i].position_count; p++)
			json_int(json, NULL, never->list[i].positions[p]);
		json_end(json);
		json_end(json);
	}
	if (without_day > 0) {
		json_begin_object(json, NULL);
		json_add_string(json, "reason", "no_callable_day");
		json_int(json, "contacts", without_day);
		json_begin_array(json, "first_positions");
		json_end(json);
		json_end(json);
	}
	json_end(json);
}

static void write_shift(struct json *json, const struct plan_shift *shift)
{
	json_begin_object(json, "change");
	json_int(json, "contacts", shift->contacts);
	json_int(json, "earlier", shift->earlier);
	json_int(json, "later", shift->later);
	json_decimal4(json, "most_earlier_seconds", shift->most_earlier_us / 100);
	json_decimal4(json, "most_later_seconds", shift->most_later_us / 100);
	json_int(json, "mean_shift_seconds",
	         (shift->mean_us + (shift->mean_us < 0 ? -1 : 1) * US_PER_SECOND / 2) / US_PER_SECOND);
	json_end(json);
}

/* Finds the pace of the numbers that the campaign would use. */
static enum db_result find_numbers_gap(struct request *request, const struct campaign_request *campaign,
                                       int64_t *gap_us)
{
	if (!campaign->has_found_numbers)
		return forecast_numbers_gap(request->db, &campaign->batch, campaign->now_us, request->arena, gap_us);
	*gap_us = campaign->numbers_calls_per_minute == 0 ? 0 : pace_gap_us(campaign->numbers_calls_per_minute);
	return DB_OK;
}

/* Returns the calls of the present local day, as the daily cap counts them. */
static int64_t calls_made_today(const struct batch *batch, int64_t now_us)
{
	struct calendar calendar = batch_plan_rules(&batch->config).calendar;
	struct span span;
	int32_t day;

	if (zone_trouble(batch->config.timezone) != NULL)
		return 0;
	day = (int32_t)(zone_utc_to_wall(batch->config.timezone, now_us) / US_PER_DAY);
	if (calendar_find_span(&calendar, now_us, &span) == CALENDAR_SPAN && span.from_us <= now_us)
		day = span.day;
	return batch->day == day ? batch->day_calls : 0;
}

enum db_result batch_calls_preview(struct request *request)
{
	struct plan_day *days = arena_alloc(request->arena, MAX_DAYS * sizeof *days);
	struct campaign_request campaign;
	struct plan_shift shift;
	struct never_called never;
	struct plan_group *groups, *planned;
	int64_t numbers_gap_us, without_day;
	struct night_warning warning;
	struct json *json;
	int group_count;

	DB_TRY(change(request, &campaign));
	DB_TRY(forecast_never_called(request->db, &campaign.batch, request->arena, &never));
	DB_TRY(find_numbers_gap(request, &campaign, &numbers_gap_us));
	DB_TRY(planning_groups(request->db, &campaign.batch, request->arena, &groups, &group_count));
	planned = arena_alloc(request->arena, (size_t)group_count * sizeof *planned);
	memcpy(planned, groups, (size_t)group_count * sizeof *planned);
	if (campaign.given != 0)
		DB_TRY(forecast_move(request->db, &campaign.batch, campaign.now_us, request->arena, &shift));
	DB_TRY(calling_hours_judge(request, &campaign.batch, &(struct field_list){ 0 }, &warning));
	json = reply_begin_object(request, 200);
	json_int(json, "calls_made_today", calls_made_today(&campaign.batch, campaign.now_us));
	without_day = write_plan(json, &campaign.batch, planned, group_count, days);
	write_estimate(json, &campaign.batch, groups, group_count, request->input, numbers_gap_us, days);
	write_never(json, &never, without_day);
	if (campaign.given != 0)
		write_shift(json, &shift);
	else
		json_add_null(json, "change");
	json_end(json);
	calling_hours_write_warnings(reply_begin_meta(request), &warning);
	return reply_end_meta(request);
}
