#include "scheduler/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "domain/backoff.h"
#include "domain/event.h"
#include "engine/payload.h"
#include "scheduler/queues.h"
#include "store/delivery_store.h"
#include "store/try_store.h"

#define LOCK_WAITS_MAX 3

static const struct queued *find_queued(const struct queued *list, int count, int64_t id)
{
	for (int i = 0; i < count; i++)
		if (list[i].id == id)
			return &list[i];
	abort();
}

static void start_delivery(struct deliver *deliver, const struct queued *queued,
                           const struct outgoing_delivery *delivery)
{
	struct buf body = { 0 };
	const struct deliver_order order = {
		.place = queued->place,
		.id = delivery->event_id,
		.reference = queued->id,
		.tries = (int)delivery->tries,
		.probe = queued->probe,
		.watched = queued->watched,
		.url = delivery->url,
		.owner = delivery->endpoint_id,
		.secret = delivery->secret.data,
		.secret_len = delivery->secret.len,
		.body = &body,
	};

	payload_frame(&body, &delivery->event_id, event_names[delivery->type], delivery->created_at_us, delivery->data);
	deliver_start(deliver, &order);
	buf_free(&body);
}

static enum db_result load(struct db *db, const struct queued *list, int count, struct arena *arena,
                           const struct outgoing_delivery **deliveries, size_t *found)
{
	int64_t ids[QUEUES_MAX];

	for (int i = 0; i < count; i++)
		ids[i] = list[i].id;
	return deliveries_load(db, ids, (size_t)count, arena, deliveries, found);
}

enum db_result outbox_start_due(struct db *db, struct deliver *deliver, const struct conf *conf,
                                const struct queues_from *from, int *found)
{
	struct queued list[QUEUES_MAX];
	const struct outgoing_delivery *deliveries;
	struct arena *arena = arena_new();
	int64_t began_us = clock_mono_us();
	enum db_result result = DB_OK;
	size_t loaded = 0;
	int count = 0;

	*found = 0;
	if (deliver_free_slots(deliver, DELIVER_EVENT) > 0)
		result = queues_lease(db, deliver, conf, from, list, &count, found);
	if (result == DB_OK && count != 0)
		result = load(db, list, count, arena, &deliveries, &loaded);
	/* A process that was stopped for long sends nothing: the deliveries may belong to another scheduler by now. */
	if (clock_mono_us() - began_us < conf->lease_seconds * US_PER_SECOND / 2)
		for (size_t i = 0; i < loaded; i++)
			start_delivery(deliver, find_queued(list, count, deliveries[i].id), &deliveries[i]);
	arena_free(arena);
	return result;
}

struct outbox_results {
	const struct conf *conf;
	struct buf list; /* of struct settled_delivery */
	struct tries tries;
	int waits; /* how often they waited for a lock */
};

struct outbox_results *outbox_results_new(const struct conf *conf)
{
	struct outbox_results *results = calloc(1, sizeof *results);

	if (results == NULL)
		fatal("out of memory");
	results->conf = conf;
	return results;
}

void outbox_results_free(struct outbox_results *results)
{
	if (results == NULL)
		return;
	buf_free(&results->list);
	tries_clear(&results->tries);
	free(results);
}

bool outbox_any(const struct outbox_results *results)
{
	return results->list.len != 0;
}

/* Decides when to try again, or that this was the last try. */
static enum delivery_status next_try(const struct conf *conf, const struct deliver_result *result, int64_t *wake_at_us)
{
	int64_t delay_us;
	uint32_t random_bits;

	crypto_random(&random_bits, sizeof random_bits);
	if (!backoff_webhook(&conf->webhook_retry_delays, result->tries, random_bits, &delay_us))
		return DELIVERY_FAILED;
	*wake_at_us = clock_now_us() + backoff_wait_us(delay_us, result->retry_after_us);
	return DELIVERY_WAITING;
}

int64_t outbox_collect(struct outbox_results *results, const struct deliver_result *result)
{
	struct settled_delivery settled = {
		.id = result->reference, .wake_at_us = INSTANT_NEVER, .status = DELIVERY_DELIVERED, .code = result->status
	};

	if (result->cut || result->status < 200 || result->status >= 300) {
		settled.status = next_try(results->conf, result, &settled.wake_at_us);
		deliver_error(result, settled.error, sizeof settled.error);
		log_info("webhook not delivered delivery=%lld tries=%d error=\"%s\"", (long long)result->reference,
		         result->tries, settled.error);
	}
	buf_add(&results->list, &settled, sizeof settled);
	tries_add_delivery(&results->tries, result->reference,
	                   &(struct tried){ result->started_at_us, result->duration_us, result->status, settled.error,
	                                    result->body });
	return settled.wake_at_us;
}

struct chunk {
	const struct settled_delivery *list;
	size_t count;
};

static enum db_result write_chunk(struct db *db, void *context)
{
	const struct chunk *chunk = context;

	return deliveries_settle(db, chunk->list, chunk->count, clock_now_us());
}

static struct chunk all_of(const struct outbox_results *results)
{
	return (struct chunk){
		(const struct settled_delivery *)(const void *)results->list.data,
		results->list.len / sizeof(struct settled_delivery),
	};
}

static enum db_result write_all(struct db *db, void *context)
{
	struct outbox_results *results = context;
	struct chunk all = all_of(results);

	DB_TRY(write_chunk(db, &all));
	return tries_write_deliveries(db, &results->tries);
}

static bool waited(const struct db *db, enum db_result result)
{
	return result == DB_CONFLICT && db_waited_for_lock(db);
}

/* Halves the results until the result that the server refuses is alone. It is dropped: when its lease ends, its
 * delivery is tried again. */
static enum db_result write_apart(struct db *db, struct chunk whole)
{
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, write_chunk, &whole);
	struct chunk half = { whole.list, whole.count / 2 };

	if (!db_is_refusal(result) || waited(db, result))
		return result;
	if (whole.count == 1) {
		log_error("the result of a delivery is dropped, because the database refuses it delivery=%lld",
		          (long long)whole.list->id);
		return DB_OK;
	}
	DB_TRY(write_apart(db, half));
	return write_apart(db, (struct chunk){ whole.list + half.count, whole.count - half.count });
}

static enum db_result write_tries(struct db *db, void *context)
{
	return tries_write_deliveries(db, context);
}

static enum db_result write_without_refused(struct db *db, struct outbox_results *results)
{
	enum db_result result;

	DB_TRY(write_apart(db, all_of(results)));
	result = db_transact_briefly(db, DB_REPEATABLE, write_tries, &results->tries);
	return db_is_refusal(result) ? DB_OK : result; /* tries are only shown */
}

/* All endpoints wait meanwhile, so if the results wait for a lock for too long, they are all dropped. */
enum db_result outbox_write(struct db *db, struct outbox_results *results)
{
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, write_all, results);

	if (db_is_refusal(result) && !waited(db, result))
		result = write_without_refused(db, results);
	if (waited(db, result) && ++results->waits < LOCK_WAITS_MAX)
		return result;
	if (result == DB_OK || db_is_refusal(result)) {
		buf_reset(&results->list);
		tries_clear(&results->tries);
		results->waits = 0;
	}
	return result;
}
