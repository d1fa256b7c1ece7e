/* An agent: the party that speaks in a call. */
#ifndef DOMAIN_AGENT_H
#define DOMAIN_AGENT_H

#include <stdint.h>

#include "base/uuid.h"

enum agent_status {
	AGENT_DRAFT,    /* no dialer named yet */
	AGENT_CREATING, /* agent.sync is on its way */
	AGENT_ACTIVE,   /* its dialer accepted agent.sync: ready to call */
	AGENT_FAILED,   /* its dialer refused agent.sync or cannot be reached */
	AGENT_STATUS__MAX
};

extern const char *const agent_status_names[AGENT_STATUS__MAX + 1]; /* NULL-terminated */

struct agent {
	int64_t id;
	struct uuid uuid;
	const char *name, *description, *voice_id, *system_prompt, *greeting, *language_hint;
	const char *settings; /* a JSON object */
	int64_t max_call_duration_seconds;
	struct uuid webhook_id; /* nil: none */
	enum agent_status status;
	const char *status_reason;
	int64_t campaigns; /* campaigns that use it; 0 from agent_lock_shared */
	int64_t created_at_us, updated_at_us;
};

extern const struct agent agent_initial; /* without a name and a dialer; its other fields have their defaults */

#endif
