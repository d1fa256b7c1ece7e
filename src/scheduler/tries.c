#include "scheduler/tries.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "store/statements.h"

#define EXCERPT_BYTES 500

static void begin(struct tries *tries)
{
	if (tries->rows.len == 0) {
		tries->json = json_to(&tries->rows);
		json_begin_array(&tries->json, NULL);
	}
	json_begin_array(&tries->json, NULL);
}

static void end(struct tries *tries, const struct deliver_result *result, const char *error)
{
	struct buf excerpt = { 0 };

	utf8_excerpt(&excerpt, result->body->data, result->body->len, EXCERPT_BYTES);
	json_sql_instant(&tries->json, NULL, result->started_at_us);
	json_int(&tries->json, NULL, result->duration_us / US_PER_MS);
	json_int(&tries->json, NULL, result->status);
	json_add_string(&tries->json, NULL, error);
	json_add_string(&tries->json, NULL, buf_text(&excerpt));
	json_end(&tries->json);
	buf_free(&excerpt);
}

void tries_add_delivery(struct tries *tries, const struct deliver_result *result, const char *error)
{
	char row[24];

	snprintf(row, sizeof row, "%" PRId64, result->reference);
	begin(tries);
	json_add_string(&tries->json, NULL, row);
	end(tries, result, error);
}

void tries_add_call(struct tries *tries, const struct deliver_result *result, const char *error)
{
	begin(tries);
	json_hex_id(&tries->json, NULL, &result->id);
	end(tries, result, error);
}

static enum db_result write(struct db *db, enum sql_statement statement, const struct tries *tries)
{
	struct buf rows = { 0 };
	enum db_result result;

	if (tries->rows.len == 0)
		return DB_OK;
	buf_add(&rows, tries->rows.data, tries->rows.len);
	buf_putc(&rows, ']');
	result = db_exec(db, statement, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

enum db_result tries_write_deliveries(struct db *db, const struct tries *tries)
{
	return write(db, SQL_TRIES_OF_DELIVERIES, tries);
}

enum db_result tries_write_calls(struct db *db, const struct tries *tries)
{
	return write(db, SQL_TRIES_OF_CALLS, tries);
}

void tries_clear(struct tries *tries)
{
	buf_reset(&tries->rows);
}

void tries_free(struct tries *tries)
{
	buf_free(&tries->rows);
}
