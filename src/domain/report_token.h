/* The token of a call: call.requested brings it to the dialer, who reports on this call with it and needs no
 * key. Nothing of it is stored: it is the call's id, and a MAC over it under the operator's key. */
#ifndef DOMAIN_REPORT_TOKEN_H
#define DOMAIN_REPORT_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/uuid.h"

#define REPORT_TOKEN_PREFIX "outdial_call_" /* no API key begins so */
#define REPORT_TOKEN_TEXT 58                /* with the NUL */
#define REPORT_TOKEN_GRACE_US US_PER_DAY    /* so long it is taken after the end of its call */

void report_token_text(const struct uuid *call_id, char out[REPORT_TOKEN_TEXT]);

/* False: it is none of ours. */
bool report_token_read(const char *text, struct uuid *call_id);

#endif
