/* From a request to its handler. A row of the route table (api/routes.c) says what a request must be
 * before its handler runs; the order of judgement is the same for all: path 404, method 405, key 401,
 * scope 403, query 400, size 413, media type 415, JSON 400, fields 422. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/request.h"
#include "domain/scope.h"

/* As scopes of a route. */
#define ROUTE_PUBLIC SCOPE__MAX        /* needs no key */
#define ROUTE_ANY_KEY (SCOPE__MAX + 1) /* takes a key of any scope */

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

struct route {
	enum method method;
	/* Holes: <id> an id with or without type prefix, <position> a number from 1, <phone> a
	 * telephone number. What does not fit
	 * does not match. */
	const char *path;
	int scope; /* enum scope, or a ROUTE_ above */
	/* What the parameters land in; NULL: there are none. A wrong one is a 400. */
	const struct field_table *query;
	/* What the body lands in (PATCH: what the client gave of it) and its longest length. NULL: a
	 * body is not read, 0. POST and PATCH always have a table, if need be an empty one, or ROUTE_STREAM. */
	const struct field_table *body;
	size_t body_max;
	/* Answers with the functions of api/reply.h and returns what they return, or any other result,
	 * which is answered by reply_db. Runs inside a transaction unless the method is GET, and must bear
	 * being run again. */
	enum db_result (*handle)(struct request *request);
	unsigned flags;
};

enum route_flag {
	ROUTE_DIALER = 1, /* for a key stands a call's token, or the signature of the calls' dialer: api/auth.h */
	ROUTE_STREAM = 2, /* the body, a file, is left to the handler, which makes its own transactions */
};

extern const struct route routes[];
extern const size_t route_count;

extern const struct field_table no_fields;

/* Ends the process when the table contradicts itself. */
void route_check_table(void);

/* Leaves the reply in request->reply. */
void route_answer(struct request *request);

#endif
