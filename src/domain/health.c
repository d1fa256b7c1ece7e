#include "domain/health.h"

#include "base/clock.h"
#include "base/instant.h"

#define OPEN_FIRST_US (5 * US_PER_SECOND)
#define OPEN_MAX_US (300 * US_PER_SECOND)
#define OPEN_DOUBLINGS 6

const char *const outcome_names[OUTCOME__MAX] = { "taken", "refused", "busy", "fault", "cut" };
const char *const circuit_names[CIRCUIT__MAX] = { "closed", "open", "half_open" };

const struct health health_initial = {
	.failing_since_us = INSTANT_NONE,
	.open_until_us = INSTANT_NONE,
	.probe_until_us = INSTANT_NONE,
	.hold_until_us = INSTANT_NONE,
};

enum outcome outcome_of(int http_status, int64_t retry_after_us)
{
	if (http_status >= 200 && http_status < 300)
		return OUTCOME_TAKEN;
	if (http_status == 429 || (http_status == 503 && retry_after_us > 0))
		return OUTCOME_BUSY;
	return http_status == 0 || http_status >= 500 ? OUTCOME_FAULT : OUTCOME_REFUSED;
}

bool outcome_is_final(int http_status)
{
	return http_status >= 400 && http_status < 500 && http_status != 408 && http_status != 425 && http_status != 429;
}

enum circuit health_circuit(const struct health *health, int64_t now_us)
{
	if (health->open_until_us == INSTANT_NONE)
		return CIRCUIT_CLOSED;
	return now_us < health->open_until_us ? CIRCUIT_OPEN : CIRCUIT_HALF_OPEN;
}

bool health_is_clean(const struct health *health, int64_t now_us)
{
	return !health->doubtful && health->failures == 0 && health->open_until_us == INSTANT_NONE &&
	       health->hold_until_us <= now_us;
}

static void close_circuit(struct health *health)
{
	health->open_until_us = health->probe_until_us = INSTANT_NONE;
}

/* Opens the circuit for 5 s. Each further failure doubles this time, up to 5 minutes. Then up to a fifth is added at
 * random. */
static void open_circuit(struct health *health, uint32_t random_bits, int64_t now_us)
{
	int64_t beyond = health->failures - HEALTH_MAX_FAILURES;
	int64_t delay_us = OPEN_FIRST_US << (beyond < 0 ? 0 : beyond < OPEN_DOUBLINGS ? beyond : OPEN_DOUBLINGS);

	if (delay_us > OPEN_MAX_US)
		delay_us = OPEN_MAX_US;
	health->open_until_us = now_us + delay_us + delay_us / 5 * (random_bits % 1024) / 1023;
	health->probe_until_us = INSTANT_NONE;
}

static void note_failure(struct health *health, const struct health_note *note, uint32_t random_bits, int64_t now_us)
{
	bool was_closed = health->open_until_us == INSTANT_NONE;

	if (!was_closed && !note->probe)
		return; /* this webhook was being sent when the circuit opened: its failure says nothing new */
	health->failures++;
	if (health->failing_since_us == INSTANT_NONE)
		health->failing_since_us = now_us;
	if (note->outcome != OUTCOME_FAULT)
		close_circuit(health); /* the endpoint answers */
	else if (!was_closed || health->failures >= HEALTH_MAX_FAILURES)
		open_circuit(health, random_bits, now_us);
}

void health_note(struct health *health, const struct health_note *note, uint32_t random_bits, int64_t now_us)
{
	health->doubtful = note->latency_us > HEALTH_QUICK_US || note->outcome == OUTCOME_FAULT ||
	                   note->outcome == OUTCOME_CUT;
	if (note->outcome == OUTCOME_BUSY && now_us + note->retry_after_us > health->hold_until_us)
		health->hold_until_us = now_us + note->retry_after_us;
	if (note->outcome == OUTCOME_TAKEN) {
		close_circuit(health);
		health->failures = 0;
		health->failing_since_us = INSTANT_NONE;
	} else if (note->outcome != OUTCOME_CUT) {
		note_failure(health, note, random_bits, now_us);
	}
	health->doubtful |= health->open_until_us != INSTANT_NONE;
}

bool health_is_hopeless(const struct health *health, int64_t disable_after_us, int64_t now_us)
{
	return health->failures >= HEALTH_MAX_FAILURES && now_us - health->failing_since_us >= disable_after_us;
}
