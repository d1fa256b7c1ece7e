/* What is sent back: the envelope of every reply, and the one table of errors. The functions return what
 * a handler returns then: DB_OK, the reply stands; DB_REFUSED, the reply stands and says why not (in a
 * transaction this result rolls it back). A handler that returns anything else has it answered by
 * reply_db. Each begins the reply afresh, so a transaction may run again. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/request.h"
#include "base/buf.h"
#include "base/json.h"

/* Appends the next part of a long reply to its body: nothing when it is over. Any result but DB_OK breaks
 * the reply off, so that the client sees that it is not whole. */
typedef enum db_result reply_part(struct request *request, void *parts);

struct reply {
	int status;
	const char *media_type;
	bool passes;        /* it is an error that may pass without anybody changing the request */
	const char *caching; /* what others may keep of it; the default is nothing */
	struct buf headers; /* beyond those of every reply */
	struct buf body;
	struct json json;
	size_t data_len;    /* of the body, up to what differs from request to request: `meta` */
	size_t secret_at, secret_len; /* in the body; length 0: none */
	reply_part *next;   /* of a reply in parts, after the one in `body`; NULL: the body is whole */
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

/* The caller writes one member named "data" (and "pagination" for a list) between these two. */
struct json *reply_begin(struct request *request, int status);
enum db_result reply_end(struct request *request);
/* The same in two steps, for a reply with more members in `meta`. */
struct json *reply_begin_meta(struct request *request);
enum db_result reply_end_meta(struct request *request);

/* A member of "data" that is shown once: it is not kept with the reply. At most one. */
void reply_secret(struct request *request, const char *key, const char *value);

/* The body without its secret, in the arena; and a reply that was made before, as it was kept. */
const char *reply_to_keep(const struct request *request);
void reply_kept(struct request *request, int status, const char *body);

/* 200 with a JSON document that has no envelope. */
void reply_text(struct request *request, const char *json, size_t len);

enum db_result reply_no_content(struct request *request);  /* 204 */
enum db_result reply_not_modified(struct request *request); /* 304 */

/* 200 with a body of another media type, which the caller writes. */
struct buf *reply_plain(struct request *request, const char *media_type);

/* 200 with a body that comes in parts, so that memory does not grow with it. */
enum db_result reply_in_parts(struct request *request, const char *media_type, reply_part *next, void *parts);

enum db_result reply_refuse(struct request *request, enum error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* For what is wrong with fields: all of request->faults, or this one. */
enum db_result reply_refuse_faults(struct request *request, enum error error);
enum db_result reply_refuse_field(struct request *request, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Answers for a result: nothing to do for DB_OK and DB_REFUSED. */
void reply_db(struct request *request, enum db_result result);

void reply_header(struct request *request, const char *name, const char *value);

/* The status line and headers, up to the empty line. */
void reply_head(const struct request *request, struct buf *out);

#endif
