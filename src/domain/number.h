/* Telephone numbers from which calls are made. */
#ifndef DOMAIN_NUMBER_H
#define DOMAIN_NUMBER_H

#include <stdint.h>

#include "base/uuid.h"

enum provider_type { PROVIDER_TWILIO, PROVIDER_TELNYX, PROVIDER_CUSTOM_SIP, PROVIDER__MAX };

extern const char *const provider_names[PROVIDER__MAX + 1]; /* NULL-terminated */

struct phone_number {
	int64_t id;
	struct uuid uuid;
	const char *phone_number, *friendly_name;
	int provider_type;                               /* enum provider_type */
	int64_t calls_per_minute;                        /* over all campaigns that use the number; 0: no pace */
	struct uuid inbound_agent_id, outbound_agent_id; /* nil: none */
	int64_t created_at_us;
};

#endif
