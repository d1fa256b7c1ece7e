/* multipart/form-data (RFC 7578), pushed in pieces of any size: memory does not grow with the parts. */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 */

struct multipart_part {
	const char *name;
	const char *filename;     /* NULL: a plain field */
	const char *content_type; /* "" when it says none, as the next */
	const char *transfer_encoding;
};

/* What the parts are handed to; false: no more of them. */
struct multipart_taker {
	bool (*begin)(void *context, const struct multipart_part *part);
	bool (*data)(void *context, const char *bytes, size_t len);
	void *context;
};

struct multipart;

/* NULL: the media type names no boundary of use. */
struct multipart *multipart_new(const char *content_type, const struct multipart_taker *taker);
void multipart_free(struct multipart *multipart);

/* False: it is malformed, or the taker was false. */
bool multipart_push(struct multipart *multipart, const char *bytes, size_t len);
bool multipart_is_complete(const struct multipart *multipart);

#endif
