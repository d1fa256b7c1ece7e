#include "store/try_store.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "store/columns.h"
#include "store/statements.h"

#define EXCERPT_BYTES 500

COLUMNS(try_columns, struct delivery_try, INSTANT_AS(struct delivery_try, tried_at, at_us),
        COLUMN(struct delivery_try, duration_ms), COLUMN(struct delivery_try, response_code),
        COLUMN(struct delivery_try, error), COLUMN(struct delivery_try, excerpt));

static void begin(struct tries *tries)
{
	if (tries->arena == NULL) {
		tries->arena = arena_new();
		tries->rows = rows_new(tries->arena);
	}
	rows_next(&tries->rows);
}

static void end(struct tries *tries, const struct tried *tried)
{
	struct buf excerpt = { 0 };

	utf8_excerpt(&excerpt, tried->body->data, tried->body->len, EXCERPT_BYTES);
	rows_instant(&tries->rows, "tried_at", tried->at_us);
	rows_int(&tries->rows, "duration", tried->duration_us / US_PER_MS);
	rows_int(&tries->rows, "code", tried->code);
	rows_text(&tries->rows, "error", tried->error);
	rows_text(&tries->rows, "excerpt", buf_text(&excerpt));
	buf_free(&excerpt);
}

void tries_add_delivery(struct tries *tries, int64_t delivery, const struct tried *tried)
{
	char row[24];

	snprintf(row, sizeof row, "%" PRId64, delivery);
	begin(tries);
	rows_text(&tries->rows, "owner", row);
	end(tries, tried);
}

void tries_add_call(struct tries *tries, const struct uuid *call, const struct tried *tried)
{
	begin(tries);
	rows_id(&tries->rows, "owner", call);
	end(tries, tried);
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
	arena_free(tries->arena);
	*tries = (struct tries){ .arena = NULL };
}

static enum db_result list_tries(struct db *db, enum sql_statement statement, struct db_value of, struct arena *arena,
                                 struct listing *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, statement, DB_ARGS(of), arena, &rows));
	*out = (struct listing){
		.items = DB_STRUCTS(&rows, struct delivery_try),
		.count = rows.count,
		.item_size = rows.of->size,
	};
	return DB_OK;
}

enum db_result delivery_tries(struct db *db, int64_t delivery, struct arena *arena, struct listing *out)
{
	return list_tries(db, SQL_DELIVERY_TRIES, db_int(delivery), arena, out);
}

enum db_result call_tries(struct db *db, const struct uuid *call_id, struct arena *arena, struct listing *out)
{
	return list_tries(db, SQL_CALL_TRIES, db_uuid(call_id), arena, out);
}
