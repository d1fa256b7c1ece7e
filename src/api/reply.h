/* What is sent back: the envelope of every reply, and the one table of errors. The functions return what
 * a handler returns then: DB_OK, the reply stands; DB_REFUSED, the reply stands and says why not (in a
 * transaction this result rolls it back). A handler that returns anything else has it answered by
 * reply_db. Each begins the reply afresh, so a transaction may run again. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/request.h"
#include "base/buf.h"
#include "base/json.h"

struct reply {
	int status;
	struct buf headers; /* beyond those of every reply */
	struct buf body;
	struct json json;
};

enum error {
	ERROR_BAD_REQUEST,
	ERROR_UNAUTHORIZED,
	ERROR_FORBIDDEN,
	ERROR_NOT_FOUND,
	ERROR_METHOD_NOT_ALLOWED,
	ERROR_IDEMPOTENCY_CONFLICT,
	ERROR_PAYLOAD_TOO_LARGE,
	ERROR_UNSUPPORTED_MEDIA_TYPE,
	ERROR_VALIDATION,
	ERROR_INVALID_STATE,
	ERROR_AGENT_NOT_READY,
	ERROR_NO_PHONE_NUMBER,
	ERROR_NO_CONTACTS,
	ERROR_INTERNAL,
	ERROR_UNAVAILABLE,
	ERROR__MAX
};

/* The caller writes one member named "data" (and "pagination" for a list) between these two. */
struct json *reply_begin(struct request *request, int status);
enum db_result reply_end(struct request *request);

/* A reply that was made before, as it was. */
void reply_kept(struct request *request, int status, const char *body);

enum db_result reply_no_content(struct request *request); /* 204 */

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
