/* A part of a list: what is asked for, and what a store answers. A page begins at an offset, which the server
 * counts off, or behind the item of a cursor, which costs the same at any depth.
 *
 * A store asks for page_rows() rows, one more than the page takes, and so knows whether more follow; and it
 * counts the whole list only when the page does not show how long it is. */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/db.h"

/* Where an item stands: what the list is sorted by, and the internal key. A list uses what it needs. */
struct page_key {
	int64_t id, number;
	const char *text;
};

struct page {
	int64_t limit, offset;
	int order;                    /* which of its orders the list is in; 0 where it has one */
	const char *cursor;           /* as the client gave it; "": none */
	const struct page_key *after; /* what the cursor says; NULL: begin at `offset` */
};

#define PAGE_COUNTED_MAX 100000 /* as in COUNT_ROWS of statements.def */

struct listing {
	const void *items; /* in the arena */
	size_t count, item_size;
	bool has_more;
	struct page_key last; /* where the last item stands */
	int64_t total;        /* of all pages */
	bool total_is_lower_bound;
};

struct db_value page_rows(const struct page *page);   /* LIMIT */
struct db_value page_offset(const struct page *page); /* OFFSET */
/* The internal key that a page stands behind in a list that is sorted by it: newest, or oldest, first. */
struct db_value page_below(const struct page *page);
struct db_value page_above(const struct page *page);
/* Fills in everything but `last`; total, if that takes counting, is -1. `count`: how many were found. */
void page_fill(struct listing *out, const struct page *page, const void *items, size_t count, size_t item_size);

/* Runs a statement made with READ and fills in the page; also `last.id`, if the structs have an id. */
enum db_result page_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                          const struct page *page, struct arena *arena, struct listing *out);

/* Sets total if it is not known, by a statement made with COUNT_ROWS. */
enum db_result page_count(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                          struct arena *arena, struct listing *out);

#endif
