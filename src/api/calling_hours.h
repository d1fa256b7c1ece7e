/* /calling-hours-presets. Also the hours of a new campaign (from a preset, or from the default of its organisation),
 * and warnings about calls at night. */
#ifndef API_CALLING_HOURS_H
#define API_CALLING_HOURS_H

#include "api/request.h"
#include "engine/campaign.h"

enum db_result calling_hours_list(struct request *request);

/* Sets the windows of a campaign that names a preset, or that has no hours: these get the default windows of its
 * organisation, if it has any. Adds faults. Call it before the fields are settled. */
enum db_result calling_hours_complete(struct request *request, struct campaign_request *campaign);

/* Contacts that the campaign may call outside of 08:00 to 21:00 in their own zones. */
struct night_warning {
	int64_t contacts; /* how many such contacts wait */
	const char *zone; /* the zone of one of them; NULL: there are no calls at night */
};
/* `contacts`: the struct contact_input that came with the request, if there are any. */
enum db_result calling_hours_judge(struct request *request, const struct batch *batch,
                                   const struct field_list *contacts, struct night_warning *warning);

/* Writes the member `warnings` of the open object. */
void calling_hours_write_warnings(struct json *json, const struct night_warning *warning);

#endif
