#include "engine/organization_removal.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "engine/organization_tables.h"
#include "store/db_text.h"

#define PARENTS 500 /* rows whose children are deleted together */
#define ROWS 2000   /* that one DELETE removes at most */
#define PROGRESS_US (5 * US_PER_SECOND)

struct removal {
	struct db *db;
	void (*show_progress)(const char *table, int64_t rows, bool done);
	int64_t shown_at_us;
};

static enum db_result delete_rows(struct removal *removal, const char *sql, const char *table, int64_t *deleted)
{
	do {
		DB_TRY(db_text_exec(removal->db, sql));
		*deleted += db_affected(removal->db);
		if (clock_mono_us() - removal->shown_at_us > PROGRESS_US) {
			removal->shown_at_us = clock_mono_us();
			removal->show_progress(table, *deleted, false);
		}
	} while (db_affected(removal->db) == ROWS);
	return DB_OK;
}

/* A list of ids, as text for a statement. */
struct keys {
	struct db *db;
	struct buf text;
	int count;
};

static enum db_result take_key(void *context, const struct db_cell *cells)
{
	struct keys *keys = context;

	if (keys->count++ > 0)
		buf_puts(&keys->text, ",");
	db_text_literal(keys->db, &keys->text, &cells[0]);
	return DB_OK;
}

static bool has_children(const struct organization_table *table)
{
	for (size_t i = 0; i < organization_table_count; i++)
		if (organization_tables[i].parent != NULL && strcmp(organization_tables[i].parent, table->name) == 0)
			return true;
	return false;
}

static enum db_result remove_where(struct removal *removal, const struct organization_table *table, const char *where,
                                   int64_t *deleted);

/* Deletes the rows with these ids, after the children of these rows. */
static enum db_result remove_family(struct removal *removal, const struct organization_table *table, const char *keys,
                                    int64_t *deleted)
{
	struct buf text = { 0 };
	enum db_result result = DB_OK;

	for (size_t i = 0; i < organization_table_count && result == DB_OK; i++) {
		const struct organization_table *child = &organization_tables[i];
		int64_t children = 0;

		if (child->parent == NULL || strcmp(child->parent, table->name) != 0)
			continue;
		buf_reset(&text);
		buf_printf(&text, "%s IN (%s)", child->key, keys);
		result = remove_where(removal, child, text.data, &children);
	}
	buf_reset(&text);
	buf_printf(&text, "DELETE FROM %s WHERE id IN (%s)", table->name, keys);
	if (result == DB_OK)
		result = delete_rows(removal, text.data, table->name, deleted);
	buf_free(&text);
	return result;
}

/* Deletes a batch of rows and their children. *count is the number of rows in the batch. */
static enum db_result remove_batch(struct removal *removal, const struct organization_table *table, const char *where,
                                   int64_t *deleted, int *count)
{
	struct keys keys = { .db = removal->db };
	struct buf sql = { 0 };
	enum db_result result;

	buf_printf(&sql, "SELECT id FROM %s WHERE %s LIMIT %d", table->name, where, PARENTS);
	result = db_text_query(removal->db, sql.data, take_key, &keys);
	if (result == DB_OK && keys.count > 0)
		result = remove_family(removal, table, keys.text.data, deleted);
	*count = keys.count;
	buf_free(&keys.text);
	buf_free(&sql);
	return result;
}

static enum db_result remove_where(struct removal *removal, const struct organization_table *table, const char *where,
                                   int64_t *deleted)
{
	struct buf sql = { 0 };
	enum db_result result = DB_OK;
	int count = PARENTS;

	if (has_children(table)) {
		while (result == DB_OK && count == PARENTS)
			result = remove_batch(removal, table, where, deleted, &count);
		return result;
	}
	buf_printf(&sql, "DELETE FROM %s WHERE %s LIMIT %d", table->name, where, ROWS);
	result = delete_rows(removal, sql.data, table->name, deleted);
	buf_free(&sql);
	return result;
}

static enum db_result remove_all(struct removal *removal, const char *where)
{
	for (size_t i = organization_table_count; i-- > 0;) {
		const struct organization_table *table = &organization_tables[i];
		int64_t deleted = 0;

		if (table->parent != NULL)
			continue;
		DB_TRY(remove_where(removal, table, where, &deleted));
		if (deleted > 0)
			removal->show_progress(table->name, deleted, true);
	}
	return DB_OK;
}

enum db_result organization_remove_rows(struct db *db, int64_t id,
                                        void (*show_progress)(const char *table, int64_t rows, bool done))
{
	struct removal removal = { .db = db, .show_progress = show_progress, .shown_at_us = clock_mono_us() };
	struct buf where = { 0 };
	enum db_result result;

	DB_TRY(db_ready(db));
	buf_printf(&where, "organization_id = %" PRId64, id);
	result = remove_all(&removal, where.data);
	buf_free(&where);
	return result;
}
