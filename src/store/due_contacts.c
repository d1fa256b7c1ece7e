#include "store/due_contacts.h"

#include "base/crypto.h"
#include "base/json.h"
#include "domain/plan.h"
#include "store/statements.h"

int64_t due_contacts_shift_us(int run)
{
	uint32_t dice;

	crypto_random(&dice, sizeof dice);
	return plan_shift_us(run, dice);
}

static enum db_result write_rows(struct db *db, enum sql_statement statement, const struct due_contact *rows,
                                 size_t count)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < count; i++) {
		json_begin_array(&json, NULL);
		json_int(&json, NULL, rows[i].batch_id);
		json_sql_instant(&json, NULL, rows[i].due_at_us);
		json_int(&json, NULL, rows[i].position);
		json_int(&json, NULL, rows[i].attempt);
		json_int(&json, NULL, rows[i].waits);
		json_end(&json);
	}
	json_end(&json);
	result = db_exec(db, statement, DB_ARGS(db_buf(&text)));
	buf_free(&text);
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
	enum db_result result = count == 0 ? DB_OK : write_rows(db, statement, list, count);

	if (result != DB_DUPLICATE)
		return result;
	for (size_t i = 0; i < count; i++)
		DB_TRY(write_one(db, statement, &list[i]));
	return DB_OK;
}
