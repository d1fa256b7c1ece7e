#include "engine/organization_copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "domain/signature.h"
#include "engine/organization_tables.h"
#include "store/db_text.h"
#include "store/organization_store.h"
#include "store/statements.h"

#define BATCH_BYTES (1 << 20)
#define BATCH_ROWS 2000
#define ID_MARGIN 1000000 /* more ids than other transactions take meanwhile */
#define PROGRESS_US (5 * US_PER_SECOND)
#define IDS_MAX 16

/* The ids of a table: how many each cell has given out, and what is added to ours. */
struct ids {
	int64_t given_here, given_there, raise;
};

struct work {
	struct organization_copy *copy;
	struct ids ids[IDS_MAX]; /* in the order of organization_id_tables */
	/* The table that is copied. */
	const char *table;
	struct buf columns; /* of the INSERT */
	struct buf select;
	size_t column_count;
	size_t uuid_at, secret_at; /* SIZE_MAX: it has none */
	/* The batch of rows. */
	struct buf insert;
	int64_t rows, copied, shown_at_us;
	struct buf *kept; /* statements that arrive() runs, each with its NUL; NULL: each batch is inserted at once */
};

static enum db_result fail(struct work *work, const char *fault)
{
	work->copy->fault = fault;
	return DB_ERROR;
}

static struct ids *ids_of(struct work *work, const char *table)
{
	for (size_t i = 0; organization_id_tables[i] != NULL; i++)
		if (strcmp(organization_id_tables[i], table) == 0)
			return &work->ids[i];
	abort();
}

/* Ids */

struct counters {
	struct work *work;
	bool there;
};

static enum db_result take_counter(void *context, const struct db_cell *cells)
{
	const struct counters *counters = context;
	struct ids *ids = ids_of(counters->work, cells[0].data);
	int64_t given = strtoll(cells[1].data, NULL, 10);

	if (given < 0 || given > INT64_MAX / 4)
		return fail(counters->work, "a table has no ids left");
	*(counters->there ? &ids->given_there : &ids->given_here) = given;
	return DB_OK;
}

static enum db_result read_counters(struct db *db, struct work *work, bool there)
{
	struct buf sql = { 0 };
	enum db_result result;

	/* MySQL would otherwise answer from statistics that may be a day old. */
	DB_TRY(db_run_text(db, "SET @cells = 1 /*!80000 , SESSION information_schema_stats_expiry = 0 */"));
	buf_puts(&sql, "SELECT table_name, COALESCE(auto_increment, 1) FROM information_schema.tables"
	               " WHERE table_schema = DATABASE() AND table_name IN (''");
	for (size_t i = 0; organization_id_tables[i] != NULL; i++)
		buf_printf(&sql, ", '%s'", organization_id_tables[i]);
	buf_puts(&sql, ")");
	result = db_text_query(db, sql.data, take_counter, &(struct counters){ work, there });
	buf_free(&sql);
	return result;
}

/* Inserts a row with the highest of our ids, and deletes it again. Rows that others insert then get higher ids. */
static enum db_result take_room(struct db *db, void *context)
{
	struct work *work = context;

	for (size_t i = 0; organization_id_tables[i] != NULL; i++) {
		const char *table = organization_id_tables[i];
		int64_t last = work->ids[i].raise + work->ids[i].given_here;
		struct buf sql = { 0 };
		enum db_result result;

		buf_printf(&sql, "INSERT INTO %s (id) VALUES (%" PRId64 ")", table, last);
		result = db_run_text(db, sql.data);
		buf_reset(&sql);
		buf_printf(&sql, "DELETE FROM %s WHERE id = %" PRId64, table, last);
		if (result == DB_OK)
			result = db_run_text(db, sql.data);
		buf_free(&sql);
		if (result != DB_OK)
			return result;
	}
	return DB_OK;
}

static enum db_result make_room(struct work *work)
{
	struct db *to = work->copy->to;
	enum db_result result;

	DB_TRY(read_counters(work->copy->from, work, false));
	DB_TRY(read_counters(to, work, true));
	for (size_t i = 0; organization_id_tables[i] != NULL; i++)
		work->ids[i].raise = work->ids[i].given_there + ID_MARGIN;
	DB_TRY(db_run_text(to, "SET @cells = @@sql_mode, SESSION sql_mode = ''")); /* columns without a default */
	result = db_transact(to, DB_REPEATABLE, take_room, work);
	DB_TRY(db_run_text(to, "SET SESSION sql_mode = @cells"));
	return result;
}

/* Columns */

static void add_place(struct work *work, const char *column)
{
	if (strcmp(column, "place") == 0)
		buf_printf(&work->select, "%d", ORGANIZATION_ARRIVING);
	else
		buf_printf(&work->select, "'%s'", work->copy->from_cell);
}

/* Adds to the SELECT how the column is read. */
static void add_value(struct work *work, const char *column)
{
	const char *table = work->table, *of = organization_id_column(table, column);

	if (strcmp(table, "organizations") == 0 && (strcmp(column, "place") == 0 || strcmp(column, "cell") == 0))
		add_place(work, column);
	else if (of != NULL)
		buf_printf(&work->select, "IF(%s.`%s` = 0, 0, %s.`%s` + %" PRId64 ")", table, column, table, column,
		           ids_of(work, of)->raise);
	else
		buf_printf(&work->select, "%s.`%s`", table, column);
}

static enum db_result take_column(void *context, const struct db_cell *cells)
{
	struct work *work = context;
	const char *separator = work->column_count == 0 ? "" : ", ";

	buf_printf(&work->columns, "%s`%s`", separator, cells[0].data);
	buf_puts(&work->select, separator);
	add_value(work, cells[0].data);
	if (strcmp(cells[0].data, "uuid") == 0)
		work->uuid_at = work->column_count;
	if (strcmp(cells[0].data, "secret") == 0)
		work->secret_at = work->column_count;
	work->column_count++;
	return DB_OK;
}

static enum db_result read_columns(struct work *work, const char *table)
{
	struct buf sql = { 0 };
	enum db_result result;

	work->table = table;
	work->column_count = 0;
	work->uuid_at = work->secret_at = SIZE_MAX;
	work->rows = work->copied = 0;
	buf_reset(&work->columns);
	buf_reset(&work->select);
	buf_reset(&work->insert);
	buf_puts(&work->select, "SELECT ");
	buf_printf(&sql,
	           "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = "
	           "'%s'"
	           " AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position",
	           table);
	result = db_text_query(work->copy->from, sql.data, take_column, work);
	buf_free(&sql);
	return result;
}

/* Rows */

static enum db_result insert_rows(struct db *db, void *context)
{
	const struct work *work = context;
	int64_t place;

	DB_TRY(organization_lock_place(db, work->copy->new_id, &place));
	return place == ORGANIZATION_ARRIVING ? db_run_text(db, work->insert.data) : DB_REFUSED;
}

static enum db_result flush(struct work *work)
{
	if (work->rows == 0)
		return DB_OK;
	if (work->kept != NULL)
		buf_add(work->kept, work->insert.data, work->insert.len + 1);
	else
		DB_TRY(db_transact(work->copy->to, DB_ONCE, insert_rows, work));
	work->copied += work->rows;
	work->copy->rows += work->rows;
	work->rows = 0;
	buf_reset(&work->insert);
	if (clock_mono_us() - work->shown_at_us > PROGRESS_US) {
		work->shown_at_us = clock_mono_us();
		work->copy->show_progress(work->table, work->copied, false);
	}
	return DB_OK;
}

/* Opens a secret with the key of the old cell, and seals it with the key of the new cell. */
static enum db_result add_secret(struct work *work, const struct db_cell *uuid, const struct db_cell *secret)
{
	struct signing_secrets secrets;
	struct buf sealed = { 0 };
	struct uuid id;

	memcpy(&id, uuid->data, sizeof id);
	if (!secrets_open(&secrets, &id, secret->data, secret->len))
		return fail(work, "a secret of a webhook cannot be opened with the keys of the other cell");
	secrets_seal(&secrets, &id, &sealed);
	db_text_literal(work->copy->from, &work->insert, &(struct db_cell){ DB_CELL_BYTES, sealed.data, sealed.len });
	crypto_forget(&secrets, sizeof secrets);
	buf_free(&sealed);
	return DB_OK;
}

static enum db_result take_row(void *context, const struct db_cell *cells)
{
	struct work *work = context;

	if (work->rows == 0)
		buf_printf(&work->insert, "INSERT INTO %s (%s) VALUES", work->table, work->columns.data);
	buf_puts(&work->insert, work->rows == 0 ? "(" : ",(");
	for (size_t i = 0; i < work->column_count; i++) {
		if (i > 0)
			buf_puts(&work->insert, ",");
		if (i == work->secret_at)
			DB_TRY(add_secret(work, &cells[work->uuid_at], &cells[i]));
		else
			db_text_literal(work->copy->from, &work->insert, &cells[i]);
	}
	buf_puts(&work->insert, ")");
	work->rows++;
	return work->rows == BATCH_ROWS || work->insert.len >= BATCH_BYTES ? flush(work) : DB_OK;
}

static enum db_result read_rows(struct work *work)
{
	return db_text_query(work->copy->from, work->select.data, take_row, work);
}

static enum db_result copy_table(struct work *work, const struct organization_table *table)
{
	DB_TRY(read_columns(work, table->name));
	work->shown_at_us = clock_mono_us();
	organization_table_from(&work->select, table, work->copy->id);
	DB_TRY(read_rows(work));
	DB_TRY(flush(work));
	if (work->copied > 0)
		work->copy->show_progress(table->name, work->copied, true);
	return DB_OK;
}

/* The organisation and its keys */

static enum db_result delete_replaced(struct db *db, int64_t id)
{
	int64_t place;

	if (id == 0)
		return DB_OK;
	DB_TRY(organization_lock_place(db, id, &place));
	if (place != ORGANIZATION_DROPPED)
		return DB_REFUSED;
	DB_TRY(db_exec(db, SQL_ORGANIZATION_DELETE_KEYS, DB_ARGS(db_int(id))));
	return db_exec(db, SQL_ORGANIZATION_DELETE, DB_ARGS(db_int(id)));
}

/* Replaces what was given up, in one transaction, so that keys that were known stay known. */
static enum db_result arrive(struct db *db, void *context)
{
	const struct work *work = context;

	DB_TRY(delete_replaced(db, work->copy->replaced));
	for (size_t at = 0; at < work->kept->len; at += strlen(work->kept->data + at) + 1)
		DB_TRY(db_run_text(db, work->kept->data + at));
	return DB_OK;
}

static enum db_result keep_all(struct work *work, const char *table, const char *key)
{
	DB_TRY(read_columns(work, table));
	work->shown_at_us = clock_mono_us();
	buf_printf(&work->select, " FROM %s WHERE %s = %" PRId64, table, key, work->copy->id);
	DB_TRY(read_rows(work));
	return flush(work);
}

static enum db_result begin(struct work *work)
{
	struct buf kept = { 0 };
	enum db_result result;

	work->kept = &kept;
	result = keep_all(work, "organizations", "id");
	if (result == DB_OK)
		result = keep_all(work, "api_keys", "organization_id");
	if (result == DB_OK)
		result = db_transact(work->copy->to, DB_ONCE, arrive, work);
	work->kept = NULL;
	buf_free(&kept);
	work->copy->new_id = ids_of(work, "organizations")->raise + work->copy->id;
	return result;
}

static enum db_result copy_all(struct work *work)
{
	DB_TRY(make_room(work));
	DB_TRY(begin(work));
	for (size_t i = 0; i < organization_table_count; i++)
		DB_TRY(copy_table(work, &organization_tables[i]));
	return DB_OK;
}

/* The session must not time out while it waits for a slow other database. */
static enum db_result begin_snapshot(struct db *db)
{
	DB_TRY(db_ready(db));
	DB_TRY(db_run_text(db, "SET SESSION net_write_timeout = 3600, wait_timeout = 28800"));
	DB_TRY(db_run_text(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
	return db_run_text(db, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
}

enum db_result organization_copy(struct organization_copy *copy)
{
	struct work work = { .copy = copy };
	enum db_result result;

	DB_TRY(db_ready(copy->to));
	DB_TRY(begin_snapshot(copy->from));
	result = copy_all(&work);
	db_disconnect(copy->from); /* ends the snapshot, even if rows were not read */
	buf_free(&work.columns);
	buf_free(&work.select);
	buf_free(&work.insert);
	return result;
}
