#include "domain/agent.h"

#include <stddef.h>

const char *const agent_status_names[AGENT_STATUS__MAX + 1] = { "draft", "creating", "active", "failed", NULL };
