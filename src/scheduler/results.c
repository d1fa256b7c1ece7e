#include "scheduler/results.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "scheduler/ahead.h"
#include "scheduler/answers.h"
#include "scheduler/outbox.h"
#include "scheduler/verdicts.h"
#include "store/figures.h"

#define FLUSH_US (50 * US_PER_MS)        /* how long results may wait for further results, unless there are many */
#define FLUSH_CALLS_US (150 * US_PER_MS) /* the same for answers of dialers, which only other calls wait for */
#define FLUSH_COUNT 200

struct results {
	struct answers *answers;
	struct outbox_results *outbox;
	struct verdicts *verdicts;
	int unwritten;      /* results that were collected but not written */
	int64_t flushed_us; /* monotonic: when results were written last */
};

struct results *results_new(const struct conf *conf)
{
	struct results *results = calloc(1, sizeof *results);
	/* Results that may come before the next look: of requests under way, and of calls that are claimed already. */
	int room = (int)conf->max_in_flight + AHEAD_MAX + FLUSH_COUNT;

	if (results == NULL)
		fatal("out of memory");
	results->answers = answers_new(room + FLUSH_COUNT, conf->lease_seconds * US_PER_SECOND / 2);
	results->outbox = outbox_results_new(conf);
	results->verdicts = verdicts_new(conf, room);
	return results;
}

void results_free(struct results *results)
{
	verdicts_free(results->verdicts);
	outbox_results_free(results->outbox);
	answers_free(results->answers);
	free(results);
}

static void collect(struct results *results, const struct deliver_result *result)
{
	int64_t retry_at_us = INSTANT_NEVER;

	if (result->place.kind == DELIVER_CALL)
		answers_collect(results->answers, result);
	else
		retry_at_us = outbox_collect(results->outbox, result);
	results->unwritten++;
	if (result->unbegun)
		return;
	verdicts_collect(results->verdicts, result, retry_at_us);
	if (result->since_us != 0)
		figures_observe(FIGURE_DISPATCH_LAG, 0, result->started_at_us - result->since_us);
}

void results_collect(struct results *results, struct deliver *deliver)
{
	struct deliver_result result;

	while (deliver_next(deliver, &result))
		collect(results, &result);
}

int64_t results_due_us(const struct results *results, bool more_follow)
{
	bool waits = more_follow && !outbox_any(results->outbox);

	if (results->unwritten == 0)
		return INT64_MAX;
	return results->flushed_us + (waits ? FLUSH_CALLS_US : FLUSH_US);
}

bool results_are_due(const struct results *results, bool more_follow)
{
	if (results->unwritten == 0)
		return verdicts_any(results->verdicts);
	return results->unwritten >= FLUSH_COUNT || clock_mono_us() >= results_due_us(results, more_follow);
}

void results_postpone(struct results *results, int64_t until_us)
{
	results->flushed_us = until_us - FLUSH_US; /* with the longer wait it is a little later */
}

enum db_result results_write(struct results *results, struct db *db, bool *woke)
{
	*woke = outbox_any(results->outbox) || verdicts_any(results->verdicts); /* queues and circuits go on */
	results->flushed_us = clock_mono_us();
	if (answers_count(results->answers) != 0)
		DB_TRY(answers_write(db, results->answers, woke));
	if (outbox_any(results->outbox))
		DB_TRY(outbox_write(db, results->outbox));
	if (verdicts_any(results->verdicts))
		DB_TRY(verdicts_write(db, results->verdicts));
	results->unwritten = answers_count(results->answers); /* some may wait for a lock */
	return DB_OK;
}
