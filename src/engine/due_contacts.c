#include "engine/due_contacts.h"

#include "base/crypto.h"
#include "domain/plan.h"
#include "store/rows.h"
#include "store/statements.h"

int64_t due_contacts_shift_us(int run)
{
	uint32_t random_bits;

	crypto_random(&random_bits, sizeof random_bits);
	return plan_shift_us(run, random_bits);
}

static enum db_result write_rows(struct db *db, enum sql_statement statement, const struct due_contact *list,
                                 size_t count)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_new(arena);
	enum db_result result;

	for (size_t i = 0; i < count; i++) {
		rows_next(&rows);
		rows_int(&rows, "batch_id", list[i].batch_id);
		rows_instant(&rows, "due_at", list[i].due_at_us);
		rows_int(&rows, "position", list[i].position);
		rows_int(&rows, "attempt", list[i].attempt);
		rows_int(&rows, "waits", list[i].waits);
	}
	result = db_exec(db, statement, DB_ARGS(rows_value(&rows)));
	arena_free(arena);
	return result;
}

static enum db_result write_one(struct db *db, enum sql_statement statement, const struct due_contact *wanted)
{
	enum db_result result = DB_DUPLICATE;

	for (int run = 0; result == DB_DUPLICATE && run < DUE_CONTACTS_RUNS; run++) {
		struct due_contact row = *wanted;

		row.due_at_us += due_contacts_shift_us(run);
		result = write_rows(db, statement, &row, 1);
	}
	return result;
}

enum db_result due_contacts_write(struct db *db, enum sql_statement statement, const struct buf *rows)
{
	const struct due_contact *list = (const struct due_contact *)(const void *)rows->data;
	size_t count = rows->len / sizeof *list;
	enum db_result result = write_rows(db, statement, list, count);

	if (result != DB_DUPLICATE)
		return result;
	for (size_t i = 0; i < count; i++)
		DB_TRY(write_one(db, statement, &list[i]));
	return DB_OK;
}
