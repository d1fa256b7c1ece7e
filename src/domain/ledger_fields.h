/* The fields of a decision of the ledger (domain/ledger.h), read back. */
#ifndef DOMAIN_LEDGER_FIELDS_H
#define DOMAIN_LEDGER_FIELDS_H

#include "base/field.h"

/* Each decision has some of these fields. A field that it lacks is nil, "", -1 or INSTANT_NONE. */
struct ledger_what {
	struct when at;
	const char *decision;
	struct uuid campaign_id, call_id, agent_id, key_id;
	int64_t position, attempt;
	bool again;       /* the call was asked for before */
	const char *from; /* the number from which the call is made */
	const char *rule, *status, *reason, *by;
	struct when planned_at, begins_at, until, window_until;
	const char *timezone, *local_time;
	int64_t calls_of_day, max_calls_per_day, contact_rest_hours, do_not_call_version;
	const char *contact_limits; /* "1/24h 3/168h": attempts and hours of each limit */
};

extern const struct field_table ledger_fields; /* struct ledger_what */

/* Returns false if the text is no decision. The texts are in the arena. */
bool ledger_what_read(const char *what, size_t len, struct arena *arena, struct ledger_what *out);

#endif
