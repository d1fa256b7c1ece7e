/* A request, from nginx to its reply. It has the data that the client sent, the results of the checks, and the objects
 * that the handler uses. Everything in it lives until the reply is sent. */
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

#define REQUEST_HOLES_MAX 2 /* the most <id>s in one path */
#define REQUEST_CHUNK 65536 /* bytes of a streamed body per call */

struct board_worker;
struct fingerprint;
struct ledger;
struct reply;
struct route;
struct FCGX_Stream;

struct request {
	/* What the handler may use. */
	struct arena *arena;
	struct db *db; /* the writer, or the database that replica_choose chose */
	const struct conf *conf;
	struct reply *reply;
	struct board_worker *worker; /* the worker that answers it */

	struct db *writer, *reader; /* reader NULL: there is no replica */
	bool is_apart;              /* a replica may answer it: replica_choose was called */
	bool is_for_writer;         /* a replica was given up */

	/* What the client sent. */
	const char *id;     /* "req_…" */
	enum method method; /* HEAD counts as GET; METHOD__MAX: a method that no route has */
	const char *path;   /* decoded, without the query */
	const char *query_string;
	const char *address;       /* of the client, as nginx sees it */
	const char *authorization; /* "" in this and the next: not given */
	const char *content_type;
	const char *content_encoding;
	const char *idempotency_key;
	const char *header_fault; /* NULL, or what is wrong with a header of a change */
	const char *if_match, *if_none_match;
	const char *webhook_id, *webhook_timestamp, *webhook_signature; /* of a signed report */
	int64_t content_length;                                         /* -1: not a number */
	bool is_chunked;                                                /* its length was not announced */
	struct FCGX_Stream *in;                                         /* the body */
	int64_t streamed;                                               /* bytes that request_stream has read */
	struct fingerprint *fingerprint;                                /* gets the streamed bytes; NULL: not needed */

	/* Set before the handler runs. */
	const struct route *route;
	struct key key;        /* key.organization_id is the organisation of the request; 0: it has none */
	int64_t here_until_us; /* monotonic: until when the organisation is known to be here */
	/* the only call that may be reported on; nil: the bearer is not a call's token */
	struct uuid token_call;
	/* which of the reports the signer may make; NULL: the request is not signed */
	const bool *may_report;
	struct uuid ids[REQUEST_HOLES_MAX]; /* of the path, in its order */
	int64_t position;                   /* of the path */
	const char *phone_number;           /* of the path */
	void *query;                        /* the struct of the route's query table, NULL without one */
	const char *body;
	size_t body_len;
	void *input;                  /* the struct of the route's body table, NULL without one */
	uint64_t given;               /* which fields of `input` the client sent */
	int64_t reports[3];           /* reports on calls by enum report_result */
	const struct ledger *refused; /* decisions that a refusal leaves in the ledger; NULL: none */
	struct uuid changed_id;       /* for the audit log: the object that was changed; nil: the first id of the path */
	const char *changes;          /* for the audit log: the changes, a JSON object; NULL: none */
	int64_t wait_until_us;        /* monotonic: until when it may wait for something to answer; 0: not given */
	struct faults faults;         /* empty when the handler starts; it may add to them */
};

/* Fills in what the client sent, from the parameters of nginx. The rest starts empty. */
void request_receive(struct request *request, char **params, struct FCGX_Stream *in);

/* Returns whether nginx has sent nothing more than what was read. Waits for nginx, but never for the client. */
bool request_is_read(struct request *request);

/* Reads the whole body into the arena. Returns false if the client sent less than it announced. */
bool request_read_body(struct request *request);

/* Reads the next bytes of the body. It returns fewer than REQUEST_CHUNK only at the end, and 0 after it. */
size_t request_stream(struct request *request, char bytes[REQUEST_CHUNK]);

/* Splits the query string. Returns false if it cannot be decoded. */
bool request_split_query(struct request *request, struct field_pair **pairs, size_t *count);

#endif
