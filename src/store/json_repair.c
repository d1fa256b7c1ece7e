#include "store/json_repair.h"

#include <inttypes.h>

#include "domain/custom_fields.h"
#include "store/statements.h"

#define NAMED_MAX 100 /* rows */

static const struct {
	const char *name;
	enum sql_statement find, save;
	bool by_uuid; /* the key of the table is 16 bytes */
} columns[] = {
	{ "contacts.custom_fields", SQL_REPAIR_FIND_CONTACTS, SQL_REPAIR_CONTACTS, false },
	{ "batch_contacts.custom_fields", SQL_REPAIR_FIND_BATCH_CONTACTS, SQL_REPAIR_BATCH_CONTACTS, false },
	{ "batch_calls.metadata", SQL_REPAIR_FIND_METADATA, SQL_REPAIR_METADATA, false },
	{ "agents.settings", SQL_REPAIR_FIND_SETTINGS, SQL_REPAIR_SETTINGS, false },
	{ "single_calls.variables", SQL_REPAIR_FIND_VARIABLES, SQL_REPAIR_VARIABLES, true },
	{ "single_calls.call_settings", SQL_REPAIR_FIND_CALL_SETTINGS, SQL_REPAIR_CALL_SETTINGS, true },
};

struct repair {
	size_t column;
	FILE *progress;
	struct arena *arena; /* of the rows below */
	struct db_rows rows; /* of the last transaction */
	bool *readable;      /* for each row */
	/* The keys of the last row that was looked at. */
	int64_t first, second;
	struct uuid uuid;
	int64_t repaired, unreadable;
};

static enum db_result repair_row(struct db *db, struct repair *repair, size_t r)
{
	const struct db_value *text = db_get(&repair->rows, r, 2);
	struct buf object = { 0 };
	enum db_result result;

	repair->readable[r] = custom_fields_repair(text->data, text->len, &object);
	result = db_exec(db, columns[repair->column].save,
	                 DB_ARGS(db_buf(&object), *db_get(&repair->rows, r, 0), *db_get(&repair->rows, r, 1)));
	buf_free(&object);
	return result;
}

static enum db_result repair_rows(struct db *db, void *context)
{
	struct repair *repair = context;

	bool by_uuid = columns[repair->column].by_uuid;
	struct db_value first = by_uuid ? db_uuid(&repair->uuid) : db_int(repair->first);
	struct db_value second = by_uuid ? first : db_int(repair->second);

	arena_reset(repair->arena);
	DB_TRY(db_query(db, columns[repair->column].find, DB_ARGS(first, second, first), repair->arena, &repair->rows));
	repair->readable = arena_alloc(repair->arena, (repair->rows.count + 1) * sizeof *repair->readable);
	for (size_t r = 0; r < repair->rows.count; r++)
		DB_TRY(repair_row(db, repair, r));
	return DB_OK;
}

static void remember_keys(struct repair *repair)
{
	size_t last = repair->rows.count - 1;

	if (columns[repair->column].by_uuid) {
		repair->uuid = db_get_uuid(&repair->rows, last, 0);
		return;
	}
	repair->first = db_get_int(&repair->rows, last, 0);
	repair->second = db_get_int(&repair->rows, last, 1);
}

static enum db_result repair_column(struct db *db, struct repair *repair)
{
	do {
		DB_TRY(db_transact(db, DB_REPEATABLE, repair_rows, repair));
		for (size_t r = 0; r < repair->rows.count; r++) {
			repair->repaired += repair->readable[r];
			repair->unreadable += !repair->readable[r];
			if (!repair->readable[r] && repair->unreadable <= NAMED_MAX)
				fprintf(repair->progress, "  %s cannot be repaired\n", db_get_text(&repair->rows, r, 3));
		}
		if (repair->rows.count != 0)
			remember_keys(repair);
	} while (repair->rows.count != 0);
	if (repair->repaired + repair->unreadable != 0)
		fprintf(repair->progress, "%s: %" PRId64 " repaired, %" PRId64 " kept as text in the field \"%s\"\n",
		        columns[repair->column].name, repair->repaired, repair->unreadable, CUSTOM_FIELDS_UNREADABLE);
	return DB_OK;
}

enum db_result json_repair(struct db *db, FILE *progress)
{
	struct arena *arena = arena_new();
	enum db_result result = DB_OK;

	for (size_t i = 0; i < sizeof columns / sizeof *columns && result == DB_OK; i++) {
		struct repair repair = { .column = i, .progress = progress, .arena = arena };

		result = repair_column(db, &repair);
	}
	arena_free(arena);
	return result;
}
