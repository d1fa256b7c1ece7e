/* The health of an endpoint, judged by the results of its webhooks. An endpoint that fails again and again gets no
 * webhooks for a while (its circuit is open). Then it gets one webhook (half open). If it takes that webhook, its
 * circuit is closed again. The numbers of enum outcome are stored. */
#ifndef DOMAIN_HEALTH_H
#define DOMAIN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_QUICK_US INT64_C(1000000) /* an endpoint is slow if it answers later than this */
#define HEALTH_MAX_FAILURES 5            /* the circuit opens after this number of failures in a row */

enum outcome {
	OUTCOME_TAKEN,   /* 2xx */
	OUTCOME_REFUSED, /* another answer: the endpoint works, but does not accept this webhook */
	OUTCOME_BUSY,    /* 429, or 503 with Retry-After: it asks for time */
	OUTCOME_FAULT,   /* 5xx, or no answer in time */
	OUTCOME_CUT,     /* Outdial broke it off, to make room for others */
	OUTCOME__MAX
};

extern const char *const outcome_names[OUTCOME__MAX];
enum outcome outcome_of(int http_status, int64_t retry_after_us);
/* Returns whether a dialer that answers with this status will never take the call: 4xx, except those that ask to wait.
 */
bool outcome_is_final(int http_status);

struct health {
	bool doubtful;            /* slow or failing */
	int64_t failures;         /* in a row; some failures do not count */
	int64_t failing_since_us; /* INSTANT_NONE: it does not fail */
	int64_t open_until_us;    /* INSTANT_NONE: its circuit is closed */
	int64_t probe_until_us;
	int64_t hold_until_us; /* it asked us to wait until then */
};

extern const struct health health_initial; /* of an endpoint without any webhook so far */

struct health_note {
	enum outcome outcome;
	bool probe; /* it was the probe of a half-open circuit */
	int64_t latency_us, retry_after_us;
};

enum circuit { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN, CIRCUIT__MAX };
extern const char *const circuit_names[CIRCUIT__MAX];
enum circuit health_circuit(const struct health *health, int64_t now_us);

/* Returns whether the endpoint is in good health: another webhook that it takes quickly changes nothing. */
bool health_is_clean(const struct health *health, int64_t now_us);

/* Updates the health. `random_bits` spreads the instants at which circuits become half open. */
void health_note(struct health *health, const struct health_note *note, uint32_t random_bits, int64_t now_us);

/* Returns whether it has failed for so long, without one success, that it should be switched off. */
bool health_is_hopeless(const struct health *health, int64_t disable_after_us, int64_t now_us);

#endif
