#include "scheduler/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "domain/backoff.h"
#include "domain/event.h"
#include "scheduler/payload.h"
#include "scheduler/queues.h"
#include "scheduler/tries.h"
#include "store/delivery_store.h"
#include "store/rows.h"
#include "store/statements.h"

static const struct queued *find_queued(const struct queued *list, int count, int64_t id)
{
	for (int i = 0; i < count; i++)
		if (list[i].id == id)
			return &list[i];
	abort();
}

static void start_delivery(struct deliver *deliver, const struct queued *queued, const struct outgoing_delivery *delivery)
{
	struct buf body = { 0 };

	payload_frame(&body, &delivery->event_id, event_names[delivery->type], delivery->created_at_us, delivery->data);
	deliver_start(deliver, &(struct deliver_order){
		.place = queued->place, .id = delivery->event_id, .reference = queued->id, .tries = (int)delivery->tries,
		.probe = queued->probe, .watched = queued->watched, .url = delivery->url, .owner = delivery->endpoint_id,
		.secret = delivery->secret.data, .secret_len = delivery->secret.len, .body = &body,
	});
	buf_free(&body);
}

static enum db_result load(struct db *db, const struct queued *list, int count, struct arena *arena,
                           struct db_rows *rows)
{
	struct rows ids = rows_new(arena);

	for (int i = 0; i < count; i++) {
		rows_next(&ids);
		rows_int(&ids, "id", list[i].id);
	}
	return deliveries_load(db, &ids, arena, rows);
}

enum db_result outbox_start_due(struct db *db, struct deliver *deliver, const struct conf *conf, int *found)
{
	struct queued list[QUEUES_MAX];
	const struct outgoing_delivery *deliveries;
	struct arena *arena = arena_new();
	struct db_rows rows = { 0 };
	int64_t began_us = clock_mono_us();
	enum db_result result = DB_OK;
	int count = 0;

	*found = 0;
	if (deliver_free_slots(deliver, DELIVER_EVENT) > 0)
		result = queues_lease(db, deliver, conf, list, &count, found);
	if (result == DB_OK && count != 0)
		result = load(db, list, count, arena, &rows);
	deliveries = DB_STRUCTS(&rows, struct outgoing_delivery);
	/* A process that was stopped for long sends nothing: the deliveries may be somebody else's by now. */
	if (clock_mono_us() - began_us < conf->lease_seconds * US_PER_SECOND / 2)
		for (size_t r = 0; r < rows.count; r++)
			start_delivery(deliver, find_queued(list, count, deliveries[r].id), &deliveries[r]);
	arena_free(arena);
	return result;
}

struct outbox_results {
	const struct conf *conf;
	struct arena *arena;
	struct rows rows;
	struct tries tries;
};

static void start_rows(struct outbox_results *results)
{
	arena_reset(results->arena);
	results->rows = rows_new(results->arena);
	tries_clear(&results->tries);
}

struct outbox_results *outbox_results_new(const struct conf *conf)
{
	struct outbox_results *results = calloc(1, sizeof *results);

	if (results == NULL)
		fatal("out of memory");
	results->conf = conf;
	results->arena = arena_new();
	start_rows(results);
	return results;
}

void outbox_results_free(struct outbox_results *results)
{
	if (results == NULL)
		return;
	arena_free(results->arena);
	tries_free(&results->tries);
	free(results);
}

bool outbox_any(const struct outbox_results *results)
{
	return results->rows.count != 0;
}

/* When to try again, or that this was the last time. */
static enum delivery_status next_try(const struct conf *conf, const struct deliver_result *result, int64_t *wake_at_us)
{
	int64_t delay_us;
	uint32_t dice;

	crypto_random(&dice, sizeof dice);
	if (!backoff_webhook(&conf->webhook_retry_delays, result->tries, dice, &delay_us))
		return DELIVERY_FAILED;
	*wake_at_us = clock_now_us() + backoff_wait_us(delay_us, result->retry_after_us);
	return DELIVERY_WAITING;
}

int64_t outbox_collect(struct outbox_results *results, const struct deliver_result *result)
{
	enum delivery_status status = DELIVERY_DELIVERED;
	int64_t wake_at_us = INSTANT_NEVER;
	char error[256] = "";

	if (result->cut || result->status < 200 || result->status >= 300) {
		status = next_try(results->conf, result, &wake_at_us);
		deliver_error(result, error, sizeof error);
		log_info("webhook not delivered delivery=%lld tries=%d error=\"%s\"",
		         (long long)result->reference, result->tries, error);
	}
	rows_next(&results->rows);
	rows_int(&results->rows, "id", result->reference);
	rows_int(&results->rows, "status", status);
	rows_instant(&results->rows, "wake_at", wake_at_us);
	rows_int(&results->rows, "code", result->status);
	rows_text(&results->rows, "error", error);
	tries_add_delivery(&results->tries, result, error);
	return wake_at_us;
}

static enum db_result write_results(struct db *db, void *context)
{
	struct outbox_results *results = context;
	struct db_value rows = rows_value(&results->rows);

	DB_TRY(db_exec(db, SQL_OUTBOX_AGENTS, DB_ARGS(rows, db_instant(clock_now_us()))));
	DB_TRY(db_exec(db, SQL_OUTBOX_RESULTS, DB_ARGS(rows)));
	return tries_write_deliveries(db, &results->tries);
}

enum db_result outbox_write(struct db *db, struct outbox_results *results)
{
	enum db_result result = db_transact(db, DB_REPEATABLE, write_results, results);

	if (result == DB_OK || db_is_refusal(result)) /* refused: the ends of their leases settle them */
		start_rows(results);
	return result;
}
