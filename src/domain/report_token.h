/* The token of a call. call.requested brings it to the dialer, which can report on this call with it and without a key.
 * It is not stored: it consists of the call's id, and a MAC over the id under the operator's key. */
#ifndef DOMAIN_REPORT_TOKEN_H
#define DOMAIN_REPORT_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/uuid.h"

#define REPORT_TOKEN_PREFIX "outdial_call_" /* no API key begins with this */
#define REPORT_TOKEN_TEXT 58                /* with the NUL */
#define REPORT_TOKEN_GRACE_US US_PER_DAY    /* the token is accepted for this long after the end of its call */

void report_token_text(const struct uuid *call_id, char out[REPORT_TOKEN_TEXT]);

/* Returns false if the text is not a token of ours. */
bool report_token_read(const char *text, struct uuid *call_id);

#endif
