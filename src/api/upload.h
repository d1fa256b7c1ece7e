/* A file in a request, as its body or as the part `file` of a form, streamed to its reader. */
#ifndef API_UPLOAD_H
#define API_UPLOAD_H

#include <stdio.h>

#include "api/request.h"

#define UPLOAD_FIELDS_MAX 16
#define UPLOAD_CHARSET_SIZE 32

struct upload {
	FILE *file; /* of a form, or kept: it can be read from the start; NULL: the body is the file */
	char charset[UPLOAD_CHARSET_SIZE];           /* of the file, as declared; "": not declared */
	const char *name;                            /* as the client gave it; "": it gave none */
	struct field_pair fields[UPLOAD_FIELDS_MAX]; /* of a form: the other parts */
	size_t field_count;
};

/* Returns whether upload_open accepts this media type, or this charset of a file. */
bool upload_is_known_type(const char *media_type);
bool upload_is_known_charset(const char *media_type);

/* The parts of a form come in any order. So the form is read to its end, and the file is stored in a temporary file. If
 * the result is not DB_OK, the reply is written. upload_close releases everything, whatever the result. */
enum db_result upload_open(struct request *request, struct upload *upload);
void upload_close(struct upload *upload);

/* Stores a file that is the body, so that it can be read again. If the result is not DB_OK, the reply is written. */
enum db_result upload_keep(struct request *request, struct upload *upload);
void upload_rewind(struct upload *upload);

/* Reads the next bytes of the file; *len 0: there are no more. DB_REFUSED: the body ended early, and the reply is
 * written. */
enum db_result upload_read(struct request *request, struct upload *upload, char bytes[REQUEST_CHUNK], size_t *len);

#endif
