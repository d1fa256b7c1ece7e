#include "api/calling_hours.h"

#include <string.h>

#include "api/reply.h"
#include "base/clock.h"
#include "domain/calling_hours.h"
#include "engine/zone_groups.h"
#include "store/organization_store.h"

#define AT_HAND_MAX 100
#define JUDGED_MAX 10000 /* contacts: a request must not read a million */

static void write_windows(struct json *json, const struct calling_hours *preset)
{
	json_begin_array(json, "calling_windows");
	for (size_t i = 0; i < preset->window_count; i++) {
		json_begin_object(json, NULL);
		field_write(json, &calling_window_fields, &preset->windows[i]);
		json_end(json);
	}
	json_end(json);
}

enum db_result calling_hours_list(struct request *request)
{
	struct json *json = reply_begin(request, 200);
	size_t count;
	const struct calling_hours *presets = calling_hours_all(&count);

	json_begin_array(json, "data");
	for (size_t i = 0; i < count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, "name", presets[i].name);
		json_add_string(json, "title", presets[i].title);
		json_add_string(json, "source", presets[i].source);
		write_windows(json, &presets[i]);
		json_end(json);
	}
	json_end(json);
	return reply_end(request);
}

static void set_windows(struct campaign_request *campaign, struct field_list windows)
{
	if (windows.count == 0)
		return;
	campaign->config.calling_windows = windows;
	campaign->given |= field_bit(&batch_fields, "calling_windows");
}

enum db_result calling_hours_complete(struct request *request, struct campaign_request *campaign)
{
	const struct batch_config *config = &campaign->config;
	const struct calling_hours *preset = calling_hours_find(config->calling_hours);
	bool has_hours = config->calling_windows.count != 0 || config->window_start >= 0 || config->window_end >= 0;
	struct organization organization;

	if (preset != NULL && has_hours)
		fault_add(&request->faults, "calling_hours",
		          "cannot be combined with calling_windows, start_time and end_time");
	if (has_hours)
		return DB_OK;
	if (preset != NULL) {
		set_windows(campaign, (struct field_list){ preset->windows, preset->window_count });
		return DB_OK;
	}
	DB_TRY(organization_get(request->db, campaign->organization_id, request->arena, &organization));
	set_windows(campaign, organization.calling_windows);
	return DB_OK;
}

/* Returns the first of the zones (names separated by spaces) in which the calendar allows calls at night; NULL: none.
 */
static const char *find_night(struct arena *arena, const struct calendar *calendar, const char *zones, int64_t from_us)
{
	char *rest = arena_strdup(arena, zones), *zone;

	while ((zone = strsep(&rest, " ")) != NULL)
		if (calling_hours_reach_night(calendar, zone, from_us))
			return zone;
	return NULL;
}

/* Returns the instant from which the campaign calls, as far as it is known. */
static int64_t start_of(const struct batch *batch, int64_t now_us)
{
	return batch->config.scheduled_at.us > now_us ? batch->config.scheduled_at.us : now_us;
}

static void judge_group(struct request *request, const struct batch *batch, const char *zones, int64_t contacts,
                        struct night_warning *warning)
{
	const struct batch_config *config = &batch->config;
	struct calendar calendar = batch_calendar(config, config->respect_contact_timezone ? zones : NULL);
	const char *zone = find_night(request->arena, &calendar, zones != NULL ? zones : config->timezone,
	                              start_of(batch, clock_now_us()));

	if (zone == NULL)
		return;
	warning->contacts += contacts;
	if (warning->zone == NULL)
		warning->zone = zone;
}

/* The same for the contacts of the request, without the database. */
static void judge_list(struct request *request, const struct batch *batch, const struct field_list *contacts,
                       struct night_warning *warning)
{
	const struct contact_input *list = contacts->items;
	const char *zones = NULL;
	int64_t run = 0; /* contacts in a row that are in the same zones */

	for (size_t i = 0; i < contacts->count; i++) {
		const char *next = contact_zones(list[i].timezone, list[i].phone_number);

		if (run > 0 && (next == NULL ? zones != NULL : zones == NULL || strcmp(next, zones) != 0)) {
			judge_group(request, batch, zones, run, warning);
			run = 0;
		}
		zones = next;
		run++;
	}
	judge_group(request, batch, zones, run, warning);
}

/* If the request has only a few contacts, they are judged without the database. */
static bool are_at_hand(const struct batch *batch, const struct field_list *contacts)
{
	return contacts->count <= AT_HAND_MAX && batch->counts.total == (int64_t)contacts->count &&
	       batch->counts.skipped == 0;
}

enum db_result calling_hours_judge(struct request *request, const struct batch *batch,
                                   const struct field_list *contacts, struct night_warning *warning)
{
	struct plan_group *groups;
	int count = 0;

	*warning = (struct night_warning){ 0 };
	if (are_at_hand(batch, contacts)) {
		judge_list(request, batch, contacts, warning);
		return DB_OK;
	}
	DB_TRY(zone_groups_count(request->db, batch, JUDGED_MAX, request->arena, &groups, &count));
	for (int i = 0; i < count; i++)
		judge_group(request, batch, groups[i].calendar.zones, groups[i].left, warning);
	return DB_OK;
}

void calling_hours_write_warnings(struct json *json, const struct night_warning *warning)
{
	json_begin_array(json, "warnings");
	if (warning->zone != NULL) {
		json_begin_object(json, NULL);
		json_add_string(json, "code", "calls_at_night");
		json_add_string(json, "message",
		                "Calls may begin outside of 08:00 to 21:00 where a contact is: see calling_windows,"
		                " calling_hours and respect_contact_timezone.");
		json_int(json, "contacts", warning->contacts);
		json_add_string(json, "timezone", warning->zone);
		json_end(json);
	}
	json_end(json);
}
