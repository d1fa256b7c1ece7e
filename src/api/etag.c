#include "api/etag.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "api/reply.h"
#include "base/buf.h"
#include "base/crypto.h"

#define TAG_BYTES 16 /* of a hash; each of two parts has half as many */
#define TAG_TEXT (2 * TAG_BYTES + 4)

static char *write_hash(char *at, const void *text, size_t len, int bytes)
{
	uint8_t hash[SHA256_SIZE];

	crypto_sha256(text, len, hash);
	for (int i = 0; i < bytes; i++)
		at += sprintf(at, "%02x", hash[i]);
	return at;
}

static const char *skip_string(const char *at)
{
	for (at++; *at != '"'; at++)
		at += *at == '\\';
	return at + 1;
}

/* Returns the character after the value that begins here, in JSON that we wrote ourselves. */
static const char *skip_value(const char *at)
{
	int depth = 0;

	for (; depth > 0 || strchr(",}]", *at) == NULL; at++) {
		while (*at == '"')
			at = skip_string(at);
		if (depth == 0 && strchr(",}]", *at) != NULL)
			break;
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
	}
	return at;
}

static bool is_name(const char *wanted, const char *name, size_t len)
{
	return strlen(wanted) == len && memcmp(wanted, name, len) == 0;
}

static bool is_field(const struct field_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (is_name(table->fields[i].name, name, len))
			return true;
	return false;
}

/* Collects the configured members of `data`: the fields of the table, and `updated_at`, so that a change and its
 * reversal are noticed. An object with a `status` has its updated_at moved by its status too: then updated_at does not
 * count. */
static void pick_configured(const struct reply *reply, const struct field_table *configured, struct buf *out)
{
	const char *at = reply->body.data + strlen("{\"data\":{");
	bool has_status = false; /* `updated_at` comes last */

	while (*at == '"') {
		const char *name = at + 1, *value = skip_string(at) + 1, *end = skip_value(value);
		size_t len = (size_t)(value - name) - 2;

		has_status |= is_name("status", name, len);
		if (is_field(configured, name, len))
			buf_add(out, at, (size_t)(end - at));
		else if (is_name("updated_at", name, len) && !has_status)
			buf_add(out, at, (size_t)(end - at));
		at = end + (*end == ',');
	}
}

static void make_tag(const struct reply *reply, const struct field_table *configured, char out[TAG_TEXT])
{
	struct buf picked = { 0 };
	char *at = out;

	*at++ = '"';
	if (configured != NULL) {
		pick_configured(reply, configured, &picked);
		at = write_hash(at, picked.data, picked.len, TAG_BYTES / 2);
		*at++ = '-';
		buf_free(&picked);
	}
	at = write_hash(at, reply->body.data, reply->data_len, configured != NULL ? TAG_BYTES / 2 : TAG_BYTES);
	strcpy(at, "\"");
}

/* Returns whether a header's list (`"a", W/"b"` or `*`) has a tag that begins with these characters. Ours are strong
 * tags, but nginx writes W/ before the tag of a reply that it compresses. The tag identifies the data, not the bytes,
 * so both count as equal. */
static bool list_holds(const char *list, const char *tag, size_t len)
{
	for (const char *at = list + strspn(list, " \t,"), *end; *at != '\0'; at += strspn(at, " \t,")) {
		at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
		if (*at == '*')
			return true;
		if (*at != '"' || (end = strchr(at + 1, '"')) == NULL)
			return false; /* not a list of tags */
		if (strncmp(at, tag, len) == 0)
			return true;
		at = end + 1;
	}
	return false;
}

void etag_finish(struct request *request, const struct field_table *configured)
{
	const struct reply *reply = request->reply;
	char tag[TAG_TEXT];

	if (reply->status != 200 || reply->data_len == 0)
		return;
	make_tag(reply, configured, tag);
	if (request->method == METHOD_GET && list_holds(request->if_none_match, tag, strlen(tag)))
		reply_not_modified(request);
	reply_header(request, "ETag", tag);
}

bool etag_is_wanted(const struct request *request, const struct field_table *configured)
{
	char tag[TAG_TEXT];

	make_tag(request->reply, configured, tag);
	return list_holds(request->if_match, tag, configured != NULL ? strcspn(tag, "-") + 1 : strlen(tag));
}

bool etag_is_known(const struct request *request, const struct field_table *configured)
{
	char tag[TAG_TEXT];

	make_tag(request->reply, configured, tag);
	return list_holds(request->if_none_match, tag, strlen(tag));
}
