#include "domain/report_fields.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MAX_DURATION_SECONDS 604800
#define MAX_COST INT64_C(99999999999999) /* ten-thousandths: what DECIMAL(14,4) holds */

/* What a dialer may say; the others are ours to conclude. */
static const char *const reportable[CALL_STATUS__MAX + 1] = {
	[CALL_QUEUED] = "", [CALL_DISPATCHED] = "", [CALL_RINGING] = "ringing",
	[CALL_IN_PROGRESS] = "in_progress", [CALL_COMPLETED] = "completed", [CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no_answer", [CALL_BUSY] = "busy", [CALL_VOICEMAIL] = "voicemail",
};

static const struct call_report initial = {
	.duration_seconds = -1, .cost_ten_thousandths = -1,
	.outcome = "", .end_reason = "", .recording_url = "", .transcript_url = "", .summary = "",
	.occurred_at = { .us = INSTANT_NONE },
};

#define REPORT(field, ...) { .offset = offsetof(struct call_report, field), __VA_ARGS__ }
#define REPORT_FIELDS                                                                                        \
	REPORT(status, .name = "status", .type = FIELD_CHOICE, .flags = FIELD_REQUIRED, .choices = reportable), \
	REPORT(duration_seconds, .name = "duration_seconds", .type = FIELD_INT, .flags = FIELD_NULLABLE,     \
	       .max = MAX_DURATION_SECONDS),                                                                 \
	REPORT(cost_ten_thousandths, .name = "cost", .type = FIELD_DECIMAL, .flags = FIELD_NULLABLE,         \
	       .max = MAX_COST),                                                                             \
	REPORT(end_reason, .name = "end_reason", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = 255),  \
	REPORT(outcome, .name = "outcome", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = 64),         \
	REPORT(recording_url, .name = "recording_url", .type = FIELD_STRING, .flags = FIELD_NULLABLE,        \
	       .max = 2048),                                                                                 \
	REPORT(transcript_url, .name = "transcript_url", .type = FIELD_STRING, .flags = FIELD_NULLABLE,      \
	       .max = 2048),                                                                                 \
	REPORT(summary, .name = "summary", .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = 10000),      \
	REPORT(occurred_at, .name = "occurred_at", .type = FIELD_WHEN, .flags = FIELD_NULLABLE)

static const struct field single[] = { REPORT_FIELDS };

const struct field_table report_fields = { single, COUNT(single), sizeof(struct call_report), &initial };

static const struct field with_call[] = {
	REPORT(call_id, .name = "call_id", .type = FIELD_ID, .flags = FIELD_REQUIRED),
	REPORT_FIELDS,
};

static const struct field_table with_call_fields = {
	with_call, COUNT(with_call), sizeof(struct call_report), &initial,
};

static const struct bulk_report bulk_initial = { 0 };

static const struct field bulk[] = {
	{ .name = "reports", .type = FIELD_RECORDS, .flags = FIELD_REQUIRED, .min = 1,
	  .max = BULK_REPORT_MAX,
	  .offset = offsetof(struct bulk_report, reports), .record = &with_call_fields },
};

const struct field_table bulk_report_fields = { bulk, COUNT(bulk), sizeof(struct bulk_report), &bulk_initial };
