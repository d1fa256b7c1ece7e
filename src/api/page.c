#include "api/page.h"

#include "api/reply.h"

static const struct page_query page_initial = { PAGE_INITIAL };

static const struct field page_list[] = { PAGE_FIELDS(struct page_query) };

const struct field_table page_fields = {
	page_list, sizeof page_list / sizeof *page_list, sizeof(struct page_query), &page_initial,
};

enum db_result page_reply(struct request *request, const struct page *page, const struct listing *listing,
                          page_write_item *write)
{
	struct json *json = reply_begin(request, 200);
	const char *item = listing->items;

	json_begin_array(json, "data");
	for (size_t i = 0; i < listing->count; i++, item += listing->item_size)
		write(json, NULL, item);
	json_end(json);
	json_begin_object(json, "pagination");
	json_int(json, "total", listing->total);
	json_int(json, "limit", page->limit);
	json_int(json, "offset", page->offset);
	json_bool(json, "has_more", page->offset + (int64_t)listing->count < listing->total);
	json_end(json);
	return reply_end(request);
}
