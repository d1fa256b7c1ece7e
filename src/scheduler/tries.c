#include "scheduler/tries.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "store/statements.h"

#define EXCERPT_BYTES 500

static void begin(struct tries *tries)
{
	if (tries->arena == NULL) {
		tries->arena = arena_new();
		tries->rows = rows_new(tries->arena);
	}
	rows_next(&tries->rows);
}

static void end(struct tries *tries, const struct deliver_result *result, const char *error)
{
	struct buf excerpt = { 0 };

	utf8_excerpt(&excerpt, result->body->data, result->body->len, EXCERPT_BYTES);
	rows_instant(&tries->rows, "tried_at", result->started_at_us);
	rows_int(&tries->rows, "duration", result->duration_us / US_PER_MS);
	rows_int(&tries->rows, "code", result->status);
	rows_text(&tries->rows, "error", error);
	rows_text(&tries->rows, "excerpt", buf_text(&excerpt));
	buf_free(&excerpt);
}

void tries_add_delivery(struct tries *tries, const struct deliver_result *result, const char *error)
{
	char row[24];

	snprintf(row, sizeof row, "%" PRId64, result->reference);
	begin(tries);
	rows_text(&tries->rows, "owner", row);
	end(tries, result, error);
}

void tries_add_call(struct tries *tries, const struct deliver_result *result, const char *error)
{
	begin(tries);
	rows_id(&tries->rows, "owner", &result->id);
	end(tries, result, error);
}

static enum db_result write(struct db *db, enum sql_statement statement, struct tries *tries)
{
	return tries->arena == NULL ? DB_OK : db_exec(db, statement, DB_ARGS(rows_value(&tries->rows)));
}

enum db_result tries_write_deliveries(struct db *db, struct tries *tries)
{
	return write(db, SQL_TRIES_OF_DELIVERIES, tries);
}

enum db_result tries_write_calls(struct db *db, struct tries *tries)
{
	return write(db, SQL_TRIES_OF_CALLS, tries);
}

void tries_clear(struct tries *tries)
{
	tries_free(tries);
}

void tries_free(struct tries *tries)
{
	arena_free(tries->arena);
	*tries = (struct tries){ .arena = NULL };
}
