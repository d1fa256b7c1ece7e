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
#include "scheduler/tries.h"
#include "store/statements.h"

#define MAX_AT_ONCE 100

struct due {
	const struct conf *conf;
	const struct deliver *deliver;
	int limit;
	struct buf ids; /* of the leased deliveries, a JSON array */
	int leased;
};

/* Endpoints that have as many webhooks under way as they may; what waits for them clogs nobody's way. */
static void write_full_endpoints(struct buf *out, const struct deliver *deliver, struct arena *arena)
{
	int64_t *full = arena_alloc(arena, (size_t)deliver_in_flight(deliver) * sizeof *full);
	int count = deliver_full_endpoints(deliver, full);
	struct json json = json_to(out);

	json_begin_array(&json, NULL);
	for (int i = 0; i < count; i++)
		json_int(&json, NULL, full[i]);
	json_end(&json);
}

/* Of the due deliveries as many as their endpoints have room for. */
static void choose(struct due *due, const struct db_rows *rows)
{
	struct json json = json_to(&due->ids);

	buf_reset(&due->ids);
	due->leased = 0;
	json_begin_array(&json, NULL);
	for (size_t r = 0; r < rows->count; r++) {
		int64_t endpoint = db_get_int(rows, r, 1);
		int before = 0;

		for (size_t earlier = 0; earlier < r; earlier++)
			before += db_get_int(rows, earlier, 1) == endpoint;
		if (before >= deliver_room_at(due->deliver, endpoint))
			continue;
		json_int(&json, NULL, db_get_int(rows, r, 0));
		due->leased++;
	}
	json_end(&json);
}

static enum db_result lease_due(struct db *db, void *context)
{
	struct due *due = context;
	int64_t now_us = clock_now_us();
	struct arena *arena = arena_new();
	struct buf full = { 0 };
	struct db_rows rows;
	enum db_result result;

	write_full_endpoints(&full, due->deliver, arena);
	result = db_query(db, SQL_OUTBOX_DUE, DB_ARGS(db_instant(now_us), db_buf(&full), db_int(due->limit)),
	                  arena, &rows);
	choose(due, &rows);
	if (result == DB_OK && due->leased != 0)
		result = db_exec(db, SQL_OUTBOX_LEASE, DB_ARGS(
			db_buf(&due->ids), db_instant(now_us + due->conf->lease_seconds * US_PER_SECOND)));
	buf_free(&full);
	arena_free(arena);
	return result;
}

static void start_delivery(struct deliver *deliver, const struct db_rows *rows, size_t r)
{
	struct uuid event_id = db_get_uuid(rows, r, 2);
	const struct db_value *secret = db_get(rows, r, 7);
	struct buf body = { 0 };

	payload_frame(&body, &event_id, event_names[db_get_int(rows, r, 3)], db_get_int(rows, r, 5),
	              db_get_text(rows, r, 4));
	deliver_start(deliver, &(struct deliver_order){
		.kind = OUTBOX_KIND, .endpoint = db_get_int(rows, r, 8), .id = event_id,
		.reference = db_get_int(rows, r, 0),
		.tries = (int)db_get_int(rows, r, 1), .url = db_get_text(rows, r, 6),
		.owner = db_get_uuid(rows, r, 9), .secret = secret->data, .secret_len = secret->len, .body = &body,
	});
	buf_free(&body);
}

/* Calls come first: events never take the last half of the slots. */
static int room(const struct deliver *deliver)
{
	int room = deliver_free_slots(deliver) - deliver_in_flight(deliver);

	return room < MAX_AT_ONCE ? room : MAX_AT_ONCE;
}

enum db_result outbox_start_due(struct db *db, struct deliver *deliver, const struct conf *conf, int *started)
{
	struct due due = { .conf = conf, .deliver = deliver, .limit = room(deliver) };
	struct arena *arena = arena_new();
	struct db_rows rows = { 0 };
	enum db_result result = DB_OK;

	if (due.limit > 0)
		result = db_transact(db, DB_ONCE, lease_due, &due);
	if (result == DB_OK && due.leased != 0)
		result = db_query(db, SQL_OUTBOX_LOAD, DB_ARGS(db_buf(&due.ids)), arena, &rows);
	for (size_t r = 0; r < rows.count; r++)
		start_delivery(deliver, &rows, r);
	*started = result == DB_OK ? due.leased : 0;
	buf_free(&due.ids);
	arena_free(arena);
	return result;
}

struct outbox_results {
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

struct outbox_results *outbox_results_new(void)
{
	struct outbox_results *results = calloc(1, sizeof *results);

	if (results == NULL)
		fatal("out of memory");
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
static enum delivery_status next_try(const struct deliver_result *result, int64_t *wake_at_us)
{
	int64_t delay_us;
	uint32_t dice;

	crypto_random(&dice, sizeof dice);
	if (!backoff_webhook(result->tries, dice, &delay_us))
		return DELIVERY_FAILED;
	*wake_at_us = clock_now_us() + backoff_wait_us(delay_us, result->retry_after_us);
	return DELIVERY_WAITING;
}

void outbox_collect(struct outbox_results *results, const struct deliver_result *result)
{
	enum delivery_status status = DELIVERY_DELIVERED;
	int64_t wake_at_us = INSTANT_NEVER;
	char error[256] = "";

	if (result->status < 200 || result->status >= 300) {
		status = next_try(result, &wake_at_us);
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

	if (result == DB_OK || result == DB_ERROR) /* refused: the ends of their leases settle them */
		start_rows(results);
	return result;
}
