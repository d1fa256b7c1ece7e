/* multipart/form-data (RFC 7578), pushed in pieces of any size: memory does not grow with the parts. */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 */

/* What the parts are handed to; false: no more of them. */
struct multipart_taker {
	bool (*begin)(void *context, const char *name, const char *filename); /* filename NULL: a plain field */
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
