/* A call as clients and subscribers see it. */
#ifndef DOMAIN_CALL_JSON_H
#define DOMAIN_CALL_JSON_H

#include "base/json.h"
#include "domain/call.h"

struct call {
	struct uuid id, batch_id, agent_id; /* nil: none, or gone */
	int64_t position, attempt, tries;
	enum call_status status;
	const char *first_name, *last_name; /* of the contact in the campaign; "": not given */
	const char *to_number, *from_number;
	int64_t scheduled_at_us, called_at_us, expires_at_us, ended_at_us;
	int64_t dispatched_at_us, answered_at_us, reported_at_us;
	int64_t wake_at_us; /* for a call that a dialer accepted: when it is ended if its end is not reported */
	int64_t duration_seconds, cost_ten_thousandths; /* -1: not reported */
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary;
	int64_t call_back_at_us; /* when the person asked to be called; INSTANT_NONE: the person did not ask */
	bool is_callback;        /* the person asked for this call during the call before */
};

void call_write(struct json *json, const void *item); /* a json_write_members, of a struct call */

#endif
