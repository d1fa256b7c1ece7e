/* Lists: the parameters `limit`, `offset` and `cursor`, and their part of the reply. A cursor says after which item a
 * page begins, and is valid only for the list that returned it. Clients do not interpret it. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/request.h"
#include "base/json.h"
#include "store/page.h"

/* For lists with an `order`. */
enum page_order { PAGE_ASCENDING, PAGE_DESCENDING };
extern const char *const page_order_names[];

/* clang-format off */
#define PAGE_INITIAL { .limit = 50, .cursor = "" }

/* The fields of a query table whose struct has a `struct page page`. */
#define PAGE_FIELDS(holder)                                                                                  \
	FIELD_AS("limit", holder, page.limit, INT, .min = 1, .max = 100),  \
	FIELD_AS("offset", holder, page.offset, INT, .max = INT32_MAX),    \
	FIELD_AS("cursor", holder, page.cursor, STRING, .min = 1, .max = 4096)
/* clang-format on */

/* A list without filters. */
struct page_query {
	struct page page;
};
extern const struct field_table page_fields;

/* Reads the cursor; page->order must be set. DB_REFUSED: the cursor does not belong to this list (the reply is 400). */
enum db_result page_begin(struct request *request, struct page *page);

/* Replies 200 with the items, each written by `write`, and the pagination. */
enum db_result page_reply(struct request *request, const struct page *page, const struct listing *listing,
                          json_write_members *write);
/* Writes that reply up to `meta`, with only the selected members of each item (base/json.h). */
void page_write(struct request *request, const struct page *page, const struct listing *listing,
                json_write_members *write, const char *const *selected);

/* Replies 400 for a wrong parameter that only the handler can judge. */
enum db_result page_refuse(struct request *request, const char *field, const char *reason);

#endif
