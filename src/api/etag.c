#include "api/etag.h"

#include <stdio.h>
#include <string.h>

#include "api/reply.h"
#include "base/crypto.h"

#define TAG_BYTES 16 /* of the hash */
#define TAG_TEXT (2 * TAG_BYTES + 3)

static void make_tag(const struct reply *reply, char out[TAG_TEXT])
{
	uint8_t hash[SHA256_SIZE];
	char *at = out;

	crypto_sha256(reply->body.data, reply->data_len, hash);
	*at++ = '"';
	for (int i = 0; i < TAG_BYTES; i++)
		at += sprintf(at, "%02x", hash[i]);
	strcpy(at, "\"");
}

/* Whether a header's list (`"a", W/"b"` or `*`) holds the tag. Ours are strong; one given as weak
 * matches only where weak ones are let pass. */
static bool list_holds(const char *list, const char *tag, bool weak_too)
{
	size_t len = strlen(tag);

	for (const char *at = list + strspn(list, " \t,"); *at != '\0'; at += strspn(at, " \t,")) {
		bool weak = strncmp(at, "W/", 2) == 0;

		at += weak ? 2 : 0;
		if (*at == '*' || (strncmp(at, tag, len) == 0 && (weak_too || !weak)))
			return true;
		if (*at != '"' || (at = strchr(at + 1, '"')) == NULL)
			return false; /* no list of tags */
		at++;
	}
	return false;
}

void etag_finish(struct request *request)
{
	const struct reply *reply = request->reply;
	char tag[TAG_TEXT];

	if (reply->status != 200 || reply->data_len == 0)
		return;
	make_tag(reply, tag);
	if (request->method == METHOD_GET && list_holds(request->if_none_match, tag, true))
		reply_not_modified(request);
	reply_header(request, "ETag", tag);
}

bool etag_is_wanted(const struct request *request)
{
	char tag[TAG_TEXT];

	make_tag(request->reply, tag);
	return list_holds(request->if_match, tag, false);
}
