#include "domain/report_fields.h"

#include <string.h>
#include <strings.h>

#define MAX_DURATION_SECONDS 604800
#define MAX_COST INT64_C(99999999999999) /* ten-thousandths: what DECIMAL(14,4) holds */

/* The statuses that a dialer may report. Outdial concludes the others itself. */
static const char *const reportable[CALL_STATUS__MAX + 1] = {
	[CALL_QUEUED] = "",
	[CALL_DISPATCHED] = "",
	[CALL_RINGING] = "ringing",
	[CALL_IN_PROGRESS] = "in_progress",
	[CALL_COMPLETED] = "completed",
	[CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no_answer",
	[CALL_BUSY] = "busy",
	[CALL_VOICEMAIL] = "voicemail",
};

static const struct call_report initial = {
	.duration_seconds = -1,
	.cost_ten_thousandths = -1,
	.outcome = "",
	.end_reason = "",
	.recording_url = "",
	.transcript_url = "",
	.summary = "",
	.occurred_at = { .us = INSTANT_NONE },
	.call_back_at = { .us = INSTANT_NONE },
};

struct call_report report_conclude(const struct uuid *call, enum call_premise premise, enum call_status status,
                                   const char *reason)
{
	struct call_report report = initial;

	report.call_id = *call;
	report.premise = premise;
	report.status = (int)status;
	report.end_reason = reason;
	return report;
}

static bool has_blank(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

/* A link that people open in a browser: not javascript:, not file:. */
static const char *check_link(struct arena *arena, const char **value)
{
	static const char *const schemes[] = { "https://", "http://" };

	(void)arena; /* the text is not changed */
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t len = strlen(schemes[i]);

		if (strncasecmp(*value, schemes[i], len) == 0 && strcspn(*value + len, "/?#\\") > 0)
			return has_blank(*value) ? "must not contain spaces or control characters" : NULL;
	}
	return "must be an http:// or https:// address";
}

#define REPORT_FIELDS \
	FIELD(struct call_report, status, CHOICE, .flags = FIELD_REQUIRED, .choices = reportable), \
		FIELD(struct call_report, duration_seconds, INT, .flags = FIELD_NULLABLE, .max = MAX_DURATION_SECONDS), \
		FIELD_AS("cost", struct call_report, cost_ten_thousandths, DECIMAL, .flags = FIELD_NULLABLE, .max = MAX_COST), \
		FIELD(struct call_report, end_reason, STRING, .flags = FIELD_NULLABLE, .max = 255), \
		FIELD(struct call_report, outcome, STRING, .flags = FIELD_NULLABLE, .max = 64), \
		FIELD(struct call_report, recording_url, STRING, .flags = FIELD_NULLABLE, .max = 2048, .check = check_link), \
		FIELD(struct call_report, transcript_url, STRING, .flags = FIELD_NULLABLE, .max = 2048, .check = check_link), \
		FIELD(struct call_report, summary, STRING, .flags = FIELD_NULLABLE, .max = 10000), \
		FIELD(struct call_report, occurred_at, WHEN, .flags = FIELD_NULLABLE), \
		FIELD(struct call_report, call_back_at, WHEN, .flags = FIELD_NULLABLE)

FIELD_TABLE(report_fields, struct call_report, &initial, REPORT_FIELDS);

static FIELD_TABLE(with_call_fields, struct call_report, &initial,
                   FIELD(struct call_report, call_id, ID, .prefix = ID_CALL, .flags = FIELD_REQUIRED), REPORT_FIELDS);

static const struct bulk_report bulk_initial = { 0 };

FIELD_TABLE(bulk_report_fields, struct bulk_report, &bulk_initial,
            FIELD(struct bulk_report, reports, RECORDS, .flags = FIELD_REQUIRED, .min = 1, .max = BULK_REPORT_MAX,
                  .record = &with_call_fields));

/* The person asked during the call, so the instant must be after it. `occurred_at` says when, if the report comes
 * late. */
static const char *fault_of_callback(const struct call_report *report, int64_t now_us)
{
	int64_t at_us = report->call_back_at.us, said_us = report->occurred_at.us;

	if (!call_has_ended((enum call_status)report->status))
		return "is only allowed with a status that ends the call";
	if (report->call_back_at.is_wall)
		return "must include a UTC offset";
	if (said_us != INSTANT_NONE && at_us <= said_us)
		return "must be after occurred_at";
	if (said_us == INSTANT_NONE && at_us < now_us - CALL_BACK_LATE_US)
		return "is more than an hour ago: a late report needs occurred_at";
	if (at_us > now_us + CALL_BACK_AHEAD_US)
		return "is more than 90 days ahead";
	return NULL;
}

void report_judge(const struct call_report *report, const char *prefix, int64_t now_us, struct faults *faults)
{
	const char *fault;

	if (report->call_back_at.us == INSTANT_NONE || (fault = fault_of_callback(report, now_us)) == NULL)
		return;
	fault_add(faults, arena_printf(faults->arena, "%scall_back_at", prefix), "%s", fault);
}
