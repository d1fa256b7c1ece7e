#include "domain/number.h"

#include <stddef.h>

const char *const provider_names[PROVIDER__MAX + 1] = { "twilio", "telnyx", "custom_sip", NULL };
