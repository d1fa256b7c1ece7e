/* Reads multipart/form-data (RFC 7578). The caller pushes the body in pieces of any size. The memory does not
 * grow with the size of the parts. */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 */

struct multipart_part {
	const char *name;
	const char *filename;          /* NULL: the part is a plain field */
	const char *content_type;      /* "": not given */
	const char *transfer_encoding; /* "": not given */
};

/* The functions that get the parts. A function returns false to stop: then multipart_push fails. */
struct multipart_taker {
	bool (*begin)(void *context, const struct multipart_part *part);
	bool (*data)(void *context, const char *bytes, size_t len);
	void *context;
};

struct multipart;

/* Returns NULL if the media type has no usable boundary. */
struct multipart *multipart_new(const char *content_type, const struct multipart_taker *taker);
void multipart_free(struct multipart *multipart);

/* Returns false if the body is malformed, or a function of the taker returned false. */
bool multipart_push(struct multipart *multipart, const char *bytes, size_t len);
bool multipart_is_complete(const struct multipart *multipart);

#endif
