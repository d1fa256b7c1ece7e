#include "domain/event.h"

#include <stddef.h>

const char *const event_names[EVENT__MAX + 1] = {
	"call.requested", "agent.sync", "batch.status.changed", "batch.completed", NULL,
};
