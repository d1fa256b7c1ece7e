/* A webhook endpoint: an address to which webhooks are sent. */
#ifndef DOMAIN_WEBHOOK_H
#define DOMAIN_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "domain/health.h"

/* Figures about the deliveries to a webhook. Counting ends at WEBHOOK_COUNTED_MAX. */
#define WEBHOOK_COUNTED_MAX 1000
struct webhook_figures {
	/* the last two count deliveries of the last 24 hours */
	int64_t waiting, failed_24h, delivered_24h;
	int64_t last_success_at_us; /* INSTANT_NONE: no kept delivery was accepted */
};

/* The URL of a dialer that is never sent anything, and fetches its calls. */
#define WEBHOOK_PULL "pull:"

struct webhook {
	int64_t id;
	struct uuid uuid;
	const char *url, *description;
	unsigned events;     /* bit set of enum event */
	int signature_type;  /* enum signature_type of the next new secret */
	struct bytes secret; /* sealed: domain/signature.h */
	bool disabled;
	const char *disabled_reason;
	struct health health; /* this and the next member are only for display */
	struct webhook_figures figures;
	int64_t created_at_us, updated_at_us;
};

/* Returns whether its dialer fetches its calls. */
static inline bool webhook_is_fetched(const char *url)
{
	return strcmp(url, WEBHOOK_PULL) == 0;
}

#endif
