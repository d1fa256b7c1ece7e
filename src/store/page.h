/* A part of a list: what is asked for, and what a store answers. */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct page {
	int64_t limit, offset;
};

struct listing {
	const void *items; /* in the arena */
	size_t count, item_size;
	int64_t total;     /* of all pages */
};

#endif
