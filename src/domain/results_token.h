/* The token in a link to results. For a minute it opens this file, and nothing else, to everyone who has the link.
 * It is not stored: it has the campaign and its expiry, and a MAC by the operator's key. */
#ifndef DOMAIN_RESULTS_TOKEN_H
#define DOMAIN_RESULTS_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/uuid.h"

#define RESULTS_TOKEN_LIFE_US (60 * US_PER_SECOND)
#define RESULTS_TOKEN_TEXT 73 /* with the NUL */

struct results_grant {
	struct uuid batch_id;
	int64_t organization_id, expires_at_us;
	unsigned statuses; /* bit set of enum contact_status; 0: all */
};

void results_token_text(const struct results_grant *grant, char out[RESULTS_TOKEN_TEXT]);

/* Returns false if the text is not a token of ours. The caller judges whether it has expired. */
bool results_token_read(const char *text, struct results_grant *grant);

#endif
