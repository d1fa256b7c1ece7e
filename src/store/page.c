#include "store/page.h"

#include <string.h>

#include "store/columns.h"
#include "store/statements.h"

struct db_value page_rows(const struct page *page)
{
	return db_int(page->limit + 1);
}

struct db_value page_offset(const struct page *page)
{
	return db_int(page->offset);
}

struct db_value page_below(const struct page *page)
{
	return db_int(page->after != NULL ? page->after->id : INT64_MAX);
}

struct db_value page_above(const struct page *page)
{
	return db_int(page->after != NULL ? page->after->id : 0);
}

void page_fill(struct listing *out, const struct page *page, const void *items, size_t count, size_t item_size)
{
	bool has_more = (int64_t)count > page->limit;
	/* An empty page at an offset is somewhere beyond the end. */
	bool shows_end = page->after == NULL && !has_more && (count != 0 || page->offset == 0);

	if (has_more)
		count = (size_t)page->limit;
	*out = (struct listing){
		.items = items,
		.count = count,
		.item_size = item_size,
		.has_more = has_more,
		.last.text = "",
		.total = shows_end ? page->offset + (int64_t)count : -1,
	};
}

enum db_result page_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                          const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_rows rows;
	size_t key;

	DB_TRY(db_query(db, id, args, count, arena, &rows));
	page_fill(out, page, rows.structs, rows.count, rows.of->size);
	key = columns_find(rows.of, "id");
	if (out->count != 0 && key < rows.of->count)
		memcpy(&out->last.id, (const char *)out->items + (out->count - 1) * out->item_size + rows.of->list[key].offset,
		       sizeof out->last.id);
	return DB_OK;
}

enum db_result page_count(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                          struct arena *arena, struct listing *out)
{
	struct db_rows rows;

	if (out->total >= 0)
		return DB_OK;
	DB_TRY(db_query(db, id, args, count, arena, &rows));
	out->total = db_get_int(&rows, 0, 0);
	out->total_is_lower_bound = out->total > PAGE_COUNTED_MAX;
	if (out->total_is_lower_bound)
		out->total = PAGE_COUNTED_MAX;
	return DB_OK;
}
