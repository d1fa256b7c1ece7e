/* A file that a request brings, as its body or as the part `file` of a form, streamed to whoever wants it. */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include <stdio.h>

#include "api/request.h"

#define UPLOAD_FIELDS_MAX 16
#define UPLOAD_CHARSET_SIZE 32

struct upload {
	FILE *file;       /* of a form: its part `file`, to be read from the start; NULL: the body is the file */
	char charset[UPLOAD_CHARSET_SIZE]; /* of the file, as it is declared; "" where it is not */
	const char *name; /* that the client gave it; "" when it gave none */
	struct field_pair fields[UPLOAD_FIELDS_MAX]; /* of a form: the other parts */
	size_t field_count;
};

/* Media types, and charsets of files, that upload_open takes. */
bool upload_is_known_type(const char *media_type);
bool upload_is_known_charset(const char *media_type);

/* A form's parts come in any order, so it is read to its end, the file into a temporary one. Any other
 * result than DB_OK is answered. upload_close releases what it holds, whatever the result. */
enum db_result upload_open(struct request *request, struct upload *upload);
void upload_close(struct upload *upload);

/* The file's next bytes; *len 0: there are no more. DB_REFUSED, answered: the body ended early. */
enum db_result upload_read(struct request *request, struct upload *upload, char bytes[REQUEST_CHUNK], size_t *len);

#endif
