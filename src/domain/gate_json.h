/* Writes what a gate judges by: the facts of the reply to why. */
#ifndef DOMAIN_GATE_JSON_H
#define DOMAIN_GATE_JSON_H

#include "base/json.h"
#include "base/uuid.h"
#include "domain/contact_limit.h"
#include "domain/gate.h"

/* What does not decide, and helps those who ask why. Zeros: nothing is known. */
struct gate_details {
	int64_t places, in_progress;
	int64_t dialer_places;     /* what a dialer that asked to slow down takes; 0: it did not ask */
	int64_t oldest_call_at_us; /* of the calls in progress the first; INSTANT_NONE: there is none */
	struct uuid webhook_id;    /* of the dialer */
	int64_t failing_since_us;
	const char *dialer_error;  /* the latest; "": none */
	const char *next_number;   /* of the numbers that have a pace: the next one that may call; NULL: none has */
	int64_t next_number_at_us;
	/* Of the contact that is judged: */
	struct contact_limit_hold limit;
	int64_t rest_hours;        /* the rest after a conversation; 0: none is wanted */
	const char *do_not_call_reason; /* "" */
	int64_t do_not_call_since_us;   /* INSTANT_NONE: its number is not on the list */
};

/* Writes an object. */
void gate_write_facts(struct json *json, const char *key, enum gate gate, const struct gate_facts *facts,
                      const struct gate_details *details);

#endif
