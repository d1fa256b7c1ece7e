#include "api/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "api/media_type.h"
#include "api/multipart.h"
#include "api/upload.h"
#include "base/log.h"

struct fingerprint {
	struct crypto_hash *hash;
	struct multipart *form; /* NULL: the body is no form, and its bytes are hashed directly */
	uint64_t part_len;      /* bytes of the part so far */
};

static void add_text(struct fingerprint *fingerprint, const char *text)
{
	crypto_hash_add(fingerprint->hash, text, strlen(text) + 1);
}

/* The length of a part is hashed after it, so that one part cannot look like two. */
static void end_part(struct fingerprint *fingerprint)
{
	crypto_hash_add(fingerprint->hash, &fingerprint->part_len, sizeof fingerprint->part_len);
	fingerprint->part_len = 0;
}

/* The same bytes in another charset are another file. */
static void add_charset(struct fingerprint *fingerprint, const char *content_type)
{
	char charset[UPLOAD_CHARSET_SIZE];

	if (!media_type_is_utf8(content_type) && media_type_parameter(content_type, "charset", charset, sizeof charset)) {
		add_text(fingerprint, "charset");
		add_text(fingerprint, charset);
	}
}

static bool begin_part(void *context, const struct multipart_part *part)
{
	end_part(context);
	add_text(context, part->name);
	add_text(context, part->filename != NULL ? part->filename : "");
	add_charset(context, part->content_type);
	return true;
}

static bool take_data(void *context, const char *bytes, size_t len)
{
	struct fingerprint *fingerprint = context;

	crypto_hash_add(fingerprint->hash, bytes, len);
	fingerprint->part_len += len;
	return true;
}

struct fingerprint *fingerprint_new(const char *content_type)
{
	struct fingerprint *fingerprint = calloc(1, sizeof *fingerprint);
	struct multipart_taker taker = { begin_part, take_data, fingerprint };

	if (fingerprint == NULL)
		fatal("out of memory");
	fingerprint->hash = crypto_hash_new();
	if (media_type_is(content_type, "multipart/form-data"))
		fingerprint->form = multipart_new(content_type, &taker);
	else
		add_charset(fingerprint, content_type);
	return fingerprint;
}

void fingerprint_add(struct fingerprint *fingerprint, const char *bytes, size_t len)
{
	if (fingerprint->form == NULL)
		crypto_hash_add(fingerprint->hash, bytes, len);
	else
		multipart_push(fingerprint->form, bytes, len); /* another function refuses what is malformed */
}

void fingerprint_end(struct fingerprint *fingerprint, uint8_t out[SHA256_SIZE])
{
	end_part(fingerprint);
	multipart_free(fingerprint->form);
	crypto_hash_end(fingerprint->hash, out);
	free(fingerprint);
}
