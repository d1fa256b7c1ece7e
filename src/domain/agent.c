#include "domain/agent.h"

#include <stddef.h>

const char *const agent_status_names[AGENT_STATUS__MAX + 1] = { "draft", "creating", "active", "failed", NULL };

const struct agent agent_initial = {
	.name = "",
	.description = "",
	.voice_id = "",
	.system_prompt = "",
	.greeting = "",
	.language_hint = "",
	.settings = "{}",
	.max_call_duration_seconds = 3600,
	.status_reason = "",
};
