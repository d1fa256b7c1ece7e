/* One request on its way from nginx to its answer: what the client said, what the route table and the
 * key made of it, and what the handler may use. Everything in it lives until the reply is sent. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/field.h"
#include "base/uuid.h"
#include "store/db.h"
#include "store/key_store.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_DELETE, METHOD__MAX };

extern const char *const method_names[METHOD__MAX + 1]; /* NULL-terminated */

#define REQUEST_HOLES_MAX 2 /* <id> in one path */
#define REQUEST_CHUNK 65536  /* bytes of a streamed body at once */

struct fingerprint;
struct reply;
struct route;
struct FCGX_Stream;

struct request {
	/* What it may use. */
	struct arena *arena;
	struct db *db;
	const struct conf *conf;
	struct reply *reply;

	/* What the client said. */
	const char *id;            /* "req_…" */
	enum method method;        /* HEAD counts as GET; METHOD__MAX: one we never use */
	const char *path;          /* decoded, without the query */
	const char *query_string;
	const char *authorization; /* "" when there is none, as the next */
	const char *content_type;
	const char *content_encoding;
	const char *idempotency_key;
	const char *header_fault; /* NULL, or what is wrong with a header of a change */
	const char *if_match, *if_none_match;
	const char *webhook_id, *webhook_timestamp, *webhook_signature; /* of a report that is signed */
	int64_t content_length;    /* -1: what was said is no number */
	struct FCGX_Stream *in;    /* the body */
	int64_t streamed;          /* how much of it request_stream has read */
	struct fingerprint *fingerprint; /* that takes what is streamed; NULL: nobody asks for it */

	/* What was made of it before the handler runs. */
	const struct route *route;
	struct key key;                     /* whose request it is: key.organization_id */
	struct uuid token_call;             /* the one call that may be reported on; nil: it is not a call's token */
	const bool *may_report;             /* which of the reports are its signer's to make; NULL: it is not signed */
	struct uuid ids[REQUEST_HOLES_MAX]; /* of the path, in its order */
	int64_t position;                   /* of the path */
	const char *phone_number;           /* of the path */
	void *query;                        /* the struct of the route's query table, NULL without one */
	const char *body;
	size_t body_len;
	void *input;                        /* the struct of the route's body table, NULL without one */
	uint64_t given;                     /* which fields of `input` the client sent */
	int64_t reports[3];                 /* reports on calls by enum report_result */
	struct faults faults;               /* empty when the handler starts; it may add to them */
};

/* Fills in what the client said from the parameters that nginx sends; the rest starts empty. */
void request_receive(struct request *request, char **params, struct FCGX_Stream *in);

/* Reads the whole body into the arena; false when the client sent less than it promised. */
bool request_read_body(struct request *request);

/* The next bytes of the body; fewer than REQUEST_CHUNK only at its end, 0 behind it. */
size_t request_stream(struct request *request, char bytes[REQUEST_CHUNK]);

/* Splits the query string; false when it cannot be decoded. */
bool request_split_query(struct request *request, struct field_pair **pairs, size_t *count);

#endif
