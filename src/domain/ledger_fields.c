#include "domain/ledger_fields.h"

/* clang-format off */
#define UNSET { .us = INSTANT_NONE }
/* clang-format on */
#define NUMBER_MAX INT64_MAX
#define TEXT_MAX 4096

static const struct ledger_what ledger_initial = {
	.at = UNSET,
	.decision = "",
	.position = -1,
	.attempt = -1,
	.from = "",
	.rule = "",
	.status = "",
	.reason = "",
	.by = "",
	.planned_at = UNSET,
	.begins_at = UNSET,
	.until = UNSET,
	.window_until = UNSET,
	.timezone = "",
	.local_time = "",
	.calls_of_day = -1,
	.max_calls_per_day = -1,
	.contact_rest_hours = -1,
	.do_not_call_version = -1,
	.contact_limits = "",
};

#define TEXT(member) FIELD(struct ledger_what, member, STRING, .flags = FIELD_NULLABLE, .max = TEXT_MAX)
#define COUNT(member) FIELD(struct ledger_what, member, INT, .flags = FIELD_NULLABLE, .max = NUMBER_MAX)
#define IDENTITY(member, kind) FIELD(struct ledger_what, member, ID, .prefix = kind, .flags = FIELD_NULLABLE)
#define MOMENT(member) FIELD(struct ledger_what, member, WHEN, .flags = FIELD_NULLABLE)

FIELD_TABLE(ledger_fields, struct ledger_what, &ledger_initial,
            FIELD(struct ledger_what, at, WHEN, .flags = FIELD_REQUIRED), TEXT(decision),
            IDENTITY(campaign_id, ID_BATCH), COUNT(position), COUNT(attempt), IDENTITY(call_id, ID_CALL),
            FIELD(struct ledger_what, again, BOOL), IDENTITY(agent_id, ID_AGENT), IDENTITY(key_id, ID_KEY), TEXT(from),
            TEXT(rule), TEXT(status), TEXT(reason), TEXT(by), MOMENT(planned_at), MOMENT(begins_at), MOMENT(until),
            TEXT(timezone), TEXT(local_time), MOMENT(window_until), COUNT(calls_of_day), COUNT(max_calls_per_day),
            TEXT(contact_limits), COUNT(contact_rest_hours), COUNT(do_not_call_version));

bool ledger_what_read(const char *what, size_t len, struct arena *arena, struct ledger_what *out)
{
	struct faults *faults = arena_alloc(arena, sizeof *faults);
	uint64_t given;

	*faults = (struct faults){ .arena = arena };
	return field_read(&ledger_fields, FIELD_CREATE, what, len, out, &given, faults) == FIELD_OK;
}
