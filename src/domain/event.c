#include "domain/event.h"

#include <stddef.h>

const char *const event_names[EVENT__MAX + 1] = {
	"call.requested", "agent.sync",  "batch.status.changed", "batch.completed",  "call.started",
	"call.ended",     "call.failed", "webhook.test",         "webhook.disabled", NULL,
};

const char *const delivery_status_names[DELIVERY_STATUS__MAX + 1] = { "waiting", "delivered", "failed", NULL };
