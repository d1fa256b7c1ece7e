/* From a request to its handler. A row of the route table (api/routes.c) has the conditions that a request must
 * meet before its handler runs. They are checked in the same order for all: path 404, method 405, key 401, scope
 * 403, query 400, size 413, media type 415, JSON 400, fields 422. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/request.h"
#include "domain/batch.h"
#include "domain/scope.h"
#include "store/audit_store.h"

/* The scopes of a route. */
#define ROUTE_PUBLIC SCOPE__MAX        /* needs no key */
#define ROUTE_ANY_KEY (SCOPE__MAX + 1) /* takes a key of any scope */

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

struct route {
	enum method method;
	/* Holes: <id> is an id with or without its prefix, <position> a number from 1, <phone> a telephone number. An
	 * address with anything else there does not match. */
	const char *path;
	int scope; /* enum scope, or a ROUTE_ above */
	/* The struct of the parameters; NULL: there are none. A wrong parameter is a 400. */
	const struct field_table *query;
	/* The struct of the body (of PATCH: the fields that the client sent) and its largest size. NULL, 0: a body is
	 * not read. POST and PATCH always have a table, perhaps an empty one, or ROUTE_STREAM. */
	const struct field_table *body;
	size_t body_max;
	/* Replies with the functions of api/reply.h and returns their result, or any other result, to which reply_db
	 * replies. Unless the method is GET, it runs inside a transaction and may run again. */
	enum db_result (*handle)(struct request *request);
	unsigned flags;
	enum batch_action action; /* of batch_calls_act */
	/* The name of the change in the audit log: AUDITED(AGENT, CREATED). Every route that is no GET has it, or
	 * ROUTE_AUDITED_BELOW or ROUTE_UNAUDITED. */
	bool is_audited;
	enum audit_object audit_object;
	enum audit_action audit_action;
};

#define AUDITED(object_, action_) .is_audited = true, .audit_object = AUDIT_##object_, .audit_action = AUDIT_##action_

enum route_flag {
	/* instead of a key, accepts a call's token or the signature of the calls' dialer: api/auth.h */
	ROUTE_DIALER = 1,
	ROUTE_STREAM = 2, /* the handler reads the body, a file, and makes its own transactions */
	ROUTE_AUDITED_BELOW =
		4,               /* the store writes the entries of the audit log, in the transactions that it makes or joins */
	ROUTE_UNAUDITED = 8, /* it changes nothing, or it is no administration: reports of dialers */
	ROUTE_WAITS = 16,    /* an empty answer is waited for: api/waiting.h */
	ROUTE_APART = 32,    /* a replica may answer: api/replica.h */
};

extern const struct route routes[];
extern const size_t route_count;

extern const struct field_table no_fields;

/* Ends the process if the table contradicts itself. */
void route_check_table(void);

/* Leaves the reply in request->reply. */
void route_answer(struct request *request);

#endif
