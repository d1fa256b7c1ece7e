#include "engine/call_rules.h"

#include "domain/report_fields.h"

struct call_report call_conclude_unanswered(const struct uuid *id, enum call_premise premise, int64_t give_up_after_us)
{
	struct call_report report = report_conclude(id, premise, CALL_FAILED, "dialer_unreachable");

	report.give_up_after_us = give_up_after_us;
	return report;
}

/* By the calendar as it is now. A zone that cannot be read stops no call. */
static bool is_in_window(const struct requested_call *call, int64_t at_us)
{
	const struct batch_config *config = &call->config;
	enum calendar_answer answer;
	struct calendar calendar;
	struct span span;

	if (call->batch_row == 0)
		return true;
	calendar = batch_calendar(config, config->respect_contact_timezone
	                                      ? contact_zones(call->contact.timezone, call->to_number)
	                                      : NULL);
	answer = calendar_find_span(&calendar, at_us, &span);
	return answer == CALENDAR_UNREADABLE || (answer == CALENDAR_SPAN && span.from_us <= at_us);
}

bool call_may_begin(const struct requested_call *call, int64_t at_us, int64_t give_up_after_us,
                    struct call_report *report)
{
	/* A single call counts as a call of a running campaign. */
	enum batch_status status = call->batch_status < 0 ? BATCH_ACTIVE : (enum batch_status)call->batch_status;

	if (call->do_not_call)
		*report = report_conclude(&call->id, CALL_UNACCEPTED, CALL_CANCELLED, "do_not_call");
	else if (batch_is_final(status))
		*report = report_conclude(&call->id, CALL_UNACCEPTED, CALL_CANCELLED, "campaign_over");
	else if (!batch_is_running(status) || !is_in_window(call, at_us))
		*report = call_conclude_unanswered(&call->id, CALL_UNASKED, give_up_after_us);
	else
		return true;
	return false;
}
