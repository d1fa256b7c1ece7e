/* A page of a list. A page begins at an offset, to which the server counts, or after the item of a cursor, which
 * costs the same at any depth. A store reads page_rows() rows, one more than the page has, so it knows whether more
 * follow. It counts the whole list only when the page does not show its end. */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/db.h"

/* The position of an item: the value by which the list is sorted, and the internal key. A list uses what it needs. */
struct page_key {
	int64_t id, number;
	const char *text;
};

struct page {
	int64_t limit, offset;
	int order;                    /* the order of the list; 0 where it has only one */
	const char *cursor;           /* as the client gave it; "": none */
	const struct page_key *after; /* the content of the cursor; NULL: begin at `offset` */
};

#define PAGE_COUNTED_ROWS 100001 /* counting ends one row further, which shows that there are more */
#define PAGE_COUNTED_MAX (PAGE_COUNTED_ROWS - 1)

struct listing {
	const void *items; /* in the arena */
	size_t count, item_size;
	bool has_more;
	struct page_key last; /* the position of the last item */
	int64_t total;        /* of all pages */
	bool total_is_lower_bound;
};

struct db_value page_rows(const struct page *page);   /* LIMIT */
struct db_value page_offset(const struct page *page); /* OFFSET */
/* The internal key after which a page begins, in a list that is sorted by it: newest first, or oldest first. */
struct db_value page_below(const struct page *page);
struct db_value page_above(const struct page *page);
/* Fills in everything but `last`. If the total has to be counted, it is -1. `count`: how many rows were found. */
void page_fill(struct listing *out, const struct page *page, const void *items, size_t count, size_t item_size);

/* Runs a statement made with READ and fills in the page; and `last.id`, if the structs have an id. */
enum db_result page_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                          const struct page *page, struct arena *arena, struct listing *out);

/* If the total is not known, counts it with a statement made with COUNT_ROWS. */
enum db_result page_count(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                          struct arena *arena, struct listing *out);

#endif
