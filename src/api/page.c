#include "api/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/reply.h"
#include "api/route.h"
#include "base/crypto.h"

#define CURSOR_VERSION 1
#define SEAL_SIZE 6

const char *const page_order_names[] = { "asc", "desc", NULL };

static const struct page_query page_initial = { PAGE_INITIAL };

FIELD_TABLE(page_fields, struct page_query, &page_initial, PAGE_FIELDS(struct page_query));

/* A cursor is a seal and, after it, the key of an item. The seal is not secret. It distinguishes a cursor of this list
 * in this order from a cursor of another list and from a damaged cursor. */
static void seal(const struct request *request, int order, const char *key, uint8_t out[SHA256_SIZE])
{
	struct buf text = { 0 };

	buf_printf(&text, "%d %d %s %s ", CURSOR_VERSION, order, request->route->path, key);
	if (strchr(request->route->path, '<') != NULL)
		buf_add(&text, request->ids[0].b, sizeof request->ids[0].b);
	crypto_sha256(text.data, text.len, out);
	buf_free(&text);
}

static void write_cursor(struct json *json, const struct request *request, int order, const struct page_key *key)
{
	char *text = arena_printf(request->arena, "%" PRId64 " %" PRId64 " %s", key->id, key->number, key->text);
	struct buf sealed = { 0 }, cursor = { 0 };
	uint8_t hash[SHA256_SIZE];

	seal(request, order, text, hash);
	buf_add(&sealed, hash, SEAL_SIZE);
	buf_puts(&sealed, text);
	crypto_base64url(&cursor, sealed.data, sealed.len);
	json_add_string(json, "next_cursor", cursor.data);
	buf_free(&sealed);
	buf_free(&cursor);
}

static bool parse_key(struct arena *arena, const char *text, struct page_key *key)
{
	int len = 0;

	if (sscanf(text, "%" SCNd64 " %" SCNd64 "%n", &key->id, &key->number, &len) != 2 || text[len] != ' ')
		return false;
	key->text = arena_strdup(arena, text + len + 1);
	return true;
}

static bool read_cursor(const struct request *request, const struct page *page, struct page_key *key)
{
	struct buf sealed = { 0 };
	uint8_t hash[SHA256_SIZE];
	bool valid = crypto_base64url_decode(&sealed, page->cursor) && sealed.len > SEAL_SIZE;

	if (valid) {
		const char *text = sealed.data + SEAL_SIZE;

		seal(request, page->order, text, hash);
		valid = memcmp(sealed.data, hash, SEAL_SIZE) == 0 && strlen(text) == sealed.len - SEAL_SIZE &&
		        parse_key(request->arena, text, key);
	}
	buf_free(&sealed);
	return valid;
}

enum db_result page_refuse(struct request *request, const char *field, const char *reason)
{
	fault_add(&request->faults, field, "%s", reason);
	return reply_refuse_faults(request, ERROR_BAD_REQUEST);
}

enum db_result page_begin(struct request *request, struct page *page)
{
	struct page_key *key = arena_alloc(request->arena, sizeof *key);

	if (*page->cursor == '\0')
		return DB_OK;
	if (page->offset != 0)
		return page_refuse(request, "offset", "cannot be given together with a cursor");
	if (!read_cursor(request, page, key))
		return page_refuse(request, "cursor", "is not a cursor of this list");
	page->after = key;
	return DB_OK;
}

void page_write(struct request *request, const struct page *page, const struct listing *listing,
                json_write_members *write, const char *const *selected)
{
	struct json *json = reply_begin(request, 200);
	const char *item = listing->items;

	json_begin_array(json, "data");
	json_select(json, selected);
	for (size_t i = 0; i < listing->count; i++, item += listing->item_size)
		json_add_object(json, NULL, write, item);
	json_select(json, NULL);
	json_end(json);
	json_begin_object(json, "pagination");
	json_int(json, "total", listing->total);
	json_bool(json, "total_is_exact", !listing->total_is_lower_bound);
	json_int(json, "limit", page->limit);
	json_int(json, "offset", page->offset);
	json_bool(json, "has_more", listing->has_more);
	if (listing->has_more)
		write_cursor(json, request, page->order, &listing->last);
	else
		json_add_null(json, "next_cursor");
	json_end(json);
}

enum db_result page_reply(struct request *request, const struct page *page, const struct listing *listing,
                          json_write_members *write)
{
	page_write(request, page, listing, write, NULL);
	return reply_end(request);
}
