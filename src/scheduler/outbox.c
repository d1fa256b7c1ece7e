#include "scheduler/outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/backoff.h"
#include "domain/event.h"
#include "scheduler/payload.h"
#include "scheduler/queues.h"
#include "scheduler/tries.h"
#include "store/statements.h"

static const struct queued *find_queued(const struct queued *list, int count, int64_t id)
{
	for (int i = 0; i < count; i++)
		if (list[i].id == id)
			return &list[i];
	abort();
}

static void start_delivery(struct deliver *deliver, const struct queued *queued, const struct db_rows *rows, size_t r)
{
	struct uuid event_id = db_get_uuid(rows, r, 2);
	const struct db_value *secret = db_get(rows, r, 7);
	struct buf body = { 0 };

	payload_frame(&body, &event_id, event_names[db_get_int(rows, r, 3)], db_get_int(rows, r, 5),
	              db_get_text(rows, r, 4));
	deliver_start(deliver, &(struct deliver_order){
		.place = queued->place, .id = event_id, .reference = queued->id, .tries = (int)db_get_int(rows, r, 1),
		.probe = queued->probe, .watched = queued->watched, .url = db_get_text(rows, r, 6),
		.owner = db_get_uuid(rows, r, 9), .secret = secret->data, .secret_len = secret->len, .body = &body,
	});
	buf_free(&body);
}

static enum db_result load(struct db *db, const struct queued *list, int count, struct arena *arena,
                           struct db_rows *rows)
{
	struct buf ids = { 0 };
	struct json json = json_to(&ids);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (int i = 0; i < count; i++)
		json_int(&json, NULL, list[i].id);
	json_end(&json);
	result = db_query(db, SQL_OUTBOX_LOAD, DB_ARGS(db_buf(&ids)), arena, rows);
	buf_free(&ids);
	return result;
}

enum db_result outbox_start_due(struct db *db, struct deliver *deliver, const struct conf *conf, int *found)
{
	struct queued list[QUEUES_MAX];
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
	/* A process that was stopped for long sends nothing: the deliveries may be somebody else's by now. */
	if (clock_mono_us() - began_us < conf->lease_seconds * US_PER_SECOND / 2)
		for (size_t r = 0; r < rows.count; r++)
			start_delivery(deliver, find_queued(list, count, db_get_int(&rows, r, 0)), &rows, r);
	arena_free(arena);
	return result;
}

struct outbox_results {
	const struct conf *conf;
	struct buf rows; /* an open JSON array */
	struct json json;
	struct tries tries;
	int count;
};

static void start_rows(struct outbox_results *results)
{
	buf_reset(&results->rows);
	results->json = json_to(&results->rows);
	json_begin_array(&results->json, NULL);
	tries_clear(&results->tries);
	results->count = 0;
}

struct outbox_results *outbox_results_new(const struct conf *conf)
{
	struct outbox_results *results = calloc(1, sizeof *results);

	if (results == NULL)
		fatal("out of memory");
	results->conf = conf;
	start_rows(results);
	return results;
}

void outbox_results_free(struct outbox_results *results)
{
	if (results == NULL)
		return;
	buf_free(&results->rows);
	tries_free(&results->tries);
	free(results);
}

bool outbox_any(const struct outbox_results *results)
{
	return results->count != 0;
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
	json_begin_array(&results->json, NULL);
	json_int(&results->json, NULL, result->reference);
	json_int(&results->json, NULL, status);
	json_sql_instant(&results->json, NULL, wake_at_us);
	json_int(&results->json, NULL, result->status);
	json_add_string(&results->json, NULL, error);
	json_end(&results->json);
	tries_add_delivery(&results->tries, result, error);
	results->count++;
	return wake_at_us;
}

static enum db_result write_results(struct db *db, void *context)
{
	const struct outbox_results *results = context;
	struct buf rows = { 0 };
	enum db_result result;

	buf_add(&rows, results->rows.data, results->rows.len);
	buf_putc(&rows, ']');
	result = db_exec(db, SQL_OUTBOX_AGENTS, DB_ARGS(db_buf(&rows), db_instant(clock_now_us())));
	if (result == DB_OK)
		result = db_exec(db, SQL_OUTBOX_RESULTS, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result == DB_OK ? tries_write_deliveries(db, &results->tries) : result;
}

enum db_result outbox_write(struct db *db, struct outbox_results *results)
{
	enum db_result result = db_transact(db, DB_REPEATABLE, write_results, results);

	if (result == DB_OK || db_is_refusal(result)) /* refused: the ends of their leases settle them */
		start_rows(results);
	return result;
}
