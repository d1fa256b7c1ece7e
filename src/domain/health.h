/* How an endpoint is doing, judged by what came of the webhooks sent there. One that fails again and again
 * is left alone for a while (its circuit is open), then asked with one webhook (half open), and served again
 * once it takes one (closed). The numbers of enum outcome are stored. */
#ifndef DOMAIN_HEALTH_H
#define DOMAIN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_QUICK_US INT64_C(1000000) /* one that answers later than this is slow */
#define HEALTH_MAX_FAILURES 5            /* in a row; then the circuit opens */

enum outcome {
	OUTCOME_TAKEN,   /* 2xx */
	OUTCOME_REFUSED, /* another answer: it is alive, and does not want this */
	OUTCOME_BUSY,    /* 429, or 503 with Retry-After: it asks for time */
	OUTCOME_FAULT,   /* 5xx, or no answer in time */
	OUTCOME_CUT,     /* broken off by ourselves, to make room for others */
	OUTCOME__MAX
};

extern const char *const outcome_names[OUTCOME__MAX];
enum outcome outcome_of(int http_status, int64_t retry_after_us);
/* A dialer that answers so does not take the call, now or later: 4xx, but those that ask for patience. */
bool outcome_is_final(int http_status);

struct health {
	bool doubtful;            /* slow or failing */
	int64_t failures;         /* in a row, as far as they count */
	int64_t failing_since_us; /* INSTANT_NONE: is not */
	int64_t open_until_us;    /* INSTANT_NONE: its circuit is closed */
	int64_t probe_until_us;
	int64_t hold_until_us;    /* it asked us to wait */
};

extern const struct health health_initial; /* of an endpoint that nothing is known of */

struct health_note {
	enum outcome outcome;
	bool probe; /* it was the one webhook that a half open circuit lets through */
	int64_t latency_us, retry_after_us;
};

enum circuit { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN, CIRCUIT__MAX };
extern const char *const circuit_names[CIRCUIT__MAX];
enum circuit health_circuit(const struct health *health, int64_t now_us);

/* Nothing is held against it: another webhook that is quickly taken changes nothing. */
bool health_is_clean(const struct health *health, int64_t now_us);

/* `dice` spreads the instants at which circuits become half open. */
void health_note(struct health *health, const struct health_note *note, uint32_t dice, int64_t now_us);

/* Failed for so long without one success that it is switched off. */
bool health_is_hopeless(const struct health *health, int64_t disable_after_us, int64_t now_us);

#endif
