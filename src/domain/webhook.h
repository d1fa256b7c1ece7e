/* An address that webhooks go to. */
#ifndef DOMAIN_WEBHOOK_H
#define DOMAIN_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"
#include "domain/health.h"

/* What is and was sent there. Counting ends at WEBHOOK_COUNTED_MAX. */
#define WEBHOOK_COUNTED_MAX 1000
struct webhook_figures {
	int64_t waiting, failed_24h, delivered_24h; /* deliveries; the latter of those that were made in the last 24 hours */
	int64_t last_success_at_us; /* INSTANT_NONE: nothing that is kept was taken */
};

struct webhook {
	int64_t id;
	struct uuid uuid;
	const char *url, *description;
	unsigned events; /* bit set of enum event */
	int signature_type; /* enum signature_type of the secret that a new one gets */
	struct bytes secret; /* sealed: domain/signature.h */
	bool disabled;
	const char *disabled_reason;
	struct health health; /* of one that is shown, as the next */
	struct webhook_figures figures;
	int64_t created_at_us, updated_at_us;
};

#endif
