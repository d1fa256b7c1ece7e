/* Replies: their envelope, and the one table of errors. A handler returns the result of these functions. DB_OK: the
 * reply is complete. DB_REFUSED: the reply is an error (and a transaction is rolled back). For any other result of
 * a handler, reply_db replies. Each function begins the reply again, so a transaction may run again. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/request.h"
#include "base/buf.h"
#include "base/json.h"

/* Appends the next part of a long reply to its body; nothing at the end. Any result but DB_OK breaks the reply off,
 * so that the client notices that it is incomplete. */
typedef enum db_result reply_part(struct request *request, void *parts);

struct reply {
	int status; /* 0: nobody has replied yet */
	const char *media_type;
	bool passes;         /* an error that may pass without a change of the request */
	const char *caching; /* the Cache-Control header; the default forbids caching */
	struct buf headers;  /* further headers */
	struct buf body;
	struct json json;
	size_t data_len;              /* length of the body before `meta`, which differs from request to request */
	size_t secret_at, secret_len; /* where it is in the body; length 0: none */
	reply_part *next;             /* of a reply in parts: returns the part after `body`; NULL: the body is complete */
	void *parts;
};

enum error {
	ERROR_BAD_REQUEST,
	ERROR_UNAUTHORIZED,
	ERROR_FORBIDDEN,
	ERROR_NOT_FOUND,
	ERROR_METHOD_NOT_ALLOWED,
	ERROR_IDEMPOTENCY_CONFLICT,
	ERROR_PRECONDITION_FAILED,
	ERROR_PAYLOAD_TOO_LARGE,
	ERROR_UNSUPPORTED_MEDIA_TYPE,
	ERROR_MOVED,
	ERROR_VALIDATION,
	ERROR_INVALID_STATE,
	ERROR_AGENT_NOT_READY,
	ERROR_NO_PHONE_NUMBER,
	ERROR_NO_CONTACTS,
	ERROR_CONTACT_LIMIT,
	ERROR_RATE_LIMIT,
	ERROR_INTERNAL,
	ERROR_UNAVAILABLE,
	ERROR__MAX
};

const char *reply_error_code(enum error error);

/* Forgets the reply and the faults so far. */
void reply_drop(struct request *request);

/* The caller writes one member "data" (and "pagination" for a list) between these two functions. */
struct json *reply_begin(struct request *request, int status);
enum db_result reply_end(struct request *request);
/* The caller writes the members of "data" between these two functions. */
struct json *reply_begin_object(struct request *request, int status);
enum db_result reply_end_object(struct request *request);

/* Replies with one object as "data". */
enum db_result reply_object(struct request *request, int status, json_write_members *write, const void *object);

/* Ends a reply in two steps, so that more members can be written to `meta`. */
struct json *reply_begin_meta(struct request *request);
enum db_result reply_end_meta(struct request *request);

/* Writes a member of "data" that is shown only once: it is not kept with the reply. At most one per reply. */
void reply_secret(struct request *request, const char *key, const char *value);

/* Returns the body without its secret, in the arena; and replies with a body that was kept. */
const char *reply_to_keep(const struct request *request);
void reply_kept(struct request *request, int status, const char *body);

/* Replies 200 with a JSON document without an envelope. */
void reply_text(struct request *request, const char *json, size_t len);

enum db_result reply_no_content(struct request *request);   /* 204 */
enum db_result reply_not_modified(struct request *request); /* 304 */

/* Replies 200 with a body of another media type, which the caller writes. */
struct buf *reply_plain(struct request *request, const char *media_type);

/* Replies 200 with a body that comes in parts, so that memory does not grow with it. */
enum db_result reply_in_parts(struct request *request, const char *media_type, reply_part *next, void *parts);

enum db_result reply_refuse(struct request *request, enum error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Replies that fields are wrong: all of request->faults, or this one. */
enum db_result reply_refuse_faults(struct request *request, enum error error);
enum db_result reply_refuse_field(struct request *request, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Replies to the result of a handler. For DB_OK and DB_REFUSED the handler has replied; if it has not, the reply is
 * 500. */
void reply_db(struct request *request, enum db_result result);

void reply_header(struct request *request, const char *name, const char *value);

/* Writes the status line and headers, up to the empty line. */
void reply_head(const struct request *request, struct buf *out);

#endif
