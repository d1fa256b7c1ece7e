#include "api/route.h"

#include <string.h>
#include <strings.h>

#include "api/auth.h"
#include "api/board.h"
#include "api/etag.h"
#include "api/media_type.h"
#include "api/replica.h"
#include "api/reply.h"
#include "api/route_path.h"
#include "api/transaction.h"
#include "api/upload.h"
#include "api/waiting.h"
#include "base/log.h"
#include "base/wake.h"

const struct field_table no_fields = { .initial = "" };

/* Path, method. */
static const struct route *find_route(struct request *request)
{
	unsigned allowed = 0;
	struct buf allow = { 0 };

	for (size_t i = 0; i < route_count; i++) {
		if (!route_path_matches(routes[i].path, request))
			continue;
		if (routes[i].method == request->method)
			return &routes[i];
		allowed |= 1u << routes[i].method;
	}
	if (allowed == 0) {
		reply_refuse(request, ERROR_NOT_FOUND, "There is nothing at this address.");
		return NULL;
	}
	for (int method = 0; method < METHOD__MAX; method++)
		if ((allowed & 1u << method) != 0)
			buf_printf(&allow, "%s%s%s", allow.len > 0 ? ", " : "", method_names[method],
			           method == METHOD_GET ? ", HEAD" : "");
	reply_refuse(request, ERROR_METHOD_NOT_ALLOWED, "Allowed here: %s.", allow.data);
	reply_header(request, "Allow", allow.data);
	buf_free(&allow);
	return NULL;
}

static enum db_result check_scope(struct request *request, const struct route *route)
{
	if (route->scope == ROUTE_PUBLIC)
		return DB_OK;
	DB_TRY(auth_identify(request));
	if (route->scope != ROUTE_ANY_KEY && (request->key.scopes & SCOPE_BIT(route->scope)) == 0)
		return reply_refuse(request, ERROR_FORBIDDEN, "This API key lacks the scope `%s`.", scope_names[route->scope]);
	return DB_OK;
}

static enum db_result read_query(struct request *request, const struct route *route)
{
	const struct field_table *table = route->query != NULL ? route->query : &no_fields;
	struct field_pair *pairs;
	uint64_t given;
	size_t count;

	if (*request->query_string == '\0' && route->query == NULL)
		return DB_OK;
	if (!request_split_query(request, &pairs, &count))
		return reply_refuse(request, ERROR_BAD_REQUEST, "The query string cannot be decoded.");
	request->query = arena_alloc(request->arena, table->size);
	if (field_read_pairs(table, pairs, count, request->query, &given, &request->faults) != FIELD_OK)
		return reply_refuse_faults(request, ERROR_BAD_REQUEST);
	return DB_OK;
}

static enum db_result check_size(struct request *request, const struct route *route)
{
	if (request->content_length < 0)
		return reply_refuse(request, ERROR_BAD_REQUEST, "The length of the body is not a number.");
	if ((uint64_t)request->content_length > route->body_max)
		return reply_refuse(request, ERROR_PAYLOAD_TOO_LARGE, "The body must not be longer than %zu bytes.",
		                    route->body_max);
	return DB_OK;
}

/* Bodies must be in UTF-8 (files also in other charsets) and not compressed. */
static enum db_result check_encoding(struct request *request, bool is_known_charset)
{
	const char *encoding = request->content_encoding;

	if (*encoding != '\0' && strcasecmp(encoding, "identity") != 0) {
		reply_refuse(request, ERROR_UNSUPPORTED_MEDIA_TYPE, "The body must have no Content-Encoding.");
		reply_header(request, "Accept-Encoding", "identity");
		return DB_REFUSED;
	}
	if (!is_known_charset)
		return reply_refuse(request, ERROR_UNSUPPORTED_MEDIA_TYPE,
		                    "The body must be in UTF-8, or be a file in a charset that is known.");
	return DB_OK;
}

static enum db_result check_upload(struct request *request, const struct route *route)
{
	DB_TRY(check_size(request, route));
	if (!upload_is_known_type(request->content_type))
		return reply_refuse(request, ERROR_UNSUPPORTED_MEDIA_TYPE, "The body must be text/csv or multipart/form-data.");
	return check_encoding(request, upload_is_known_charset(request->content_type));
}

/* Checks size and media type. An empty body counts as {} and needs no media type. */
static enum db_result read_body(struct request *request, const struct route *route)
{
	DB_TRY(check_size(request, route));
	if (request->content_length > 0 && !media_type_is(request->content_type, "application/json"))
		return reply_refuse(request, ERROR_UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.");
	DB_TRY(check_encoding(request, media_type_is_utf8(request->content_type)));
	if (!request_read_body(request))
		return reply_refuse(request, ERROR_BAD_REQUEST, "The body ended early.");
	return DB_OK;
}

/* JSON, fields. */
static enum db_result read_fields(struct request *request, const struct route *route)
{
	enum field_mode mode = route->method == METHOD_PATCH ? FIELD_CHANGE : FIELD_CREATE;
	const struct field_table *table = route->body;

	request->input = arena_alloc(request->arena, table->size);
	if (mode == FIELD_CHANGE)
		memcpy(request->input, table->initial, table->size);
	switch (field_read(table, mode, request->body, request->body_len, request->input, &request->given,
	                   &request->faults)) {
	case FIELD_OK: return DB_OK;
	case FIELD_BAD_JSON: return reply_refuse_faults(request, ERROR_BAD_REQUEST);
	case FIELD_INVALID: break;
	}
	return reply_refuse_faults(request, ERROR_VALIDATION);
}

static enum db_result read_input(struct request *request, const struct route *route)
{
	if ((route->flags & ROUTE_STREAM) != 0)
		return check_upload(request, route);
	if (route->body == NULL)
		return DB_OK;
	DB_TRY(read_body(request, route));
	if (read_fields(request, route) == DB_OK)
		return DB_OK;
	return auth_is_by_signature(request) ? DB_REFUSED : transaction_refused(request);
}

static const struct route *find_by_path(enum method method, const char *path, size_t len)
{
	for (size_t i = 0; i < route_count; i++)
		if (routes[i].method == method && strlen(routes[i].path) == len && memcmp(routes[i].path, path, len) == 0)
			return &routes[i];
	return NULL;
}

static const struct route *find_sibling(const struct route *route, enum method method)
{
	return find_by_path(method, route->path, strlen(route->path));
}

/* Routes whose path ends in a hole, or whose one object can be changed. */
static bool gives_one_object(const struct route *route)
{
	return (route->method == METHOD_GET &&
	        (route->path[strlen(route->path) - 1] == '>' || find_sibling(route, METHOD_PATCH) != NULL)) ||
	       route->method == METHOD_PATCH;
}

/* Returns the fields that PATCH accepts for such an object; NULL: it cannot be changed. */
static const struct field_table *configured_fields(const struct route *route)
{
	const struct route *patch = find_sibling(route, METHOD_PATCH);

	return patch != NULL ? patch->body : NULL;
}

/* Returns the GET route of the object that a request changes, deletes or acts on (POST …/<id>/pause). NULL: there is
 * none, and so no ETag. */
static const struct route *find_object(const struct route *route)
{
	const struct route *object = find_sibling(route, METHOD_GET);

	if (object == NULL && route->method == METHOD_POST)
		object = find_by_path(METHOD_GET, route->path, (size_t)(strrchr(route->path, '/') - route->path));
	return object != NULL && gives_one_object(object) ? object : NULL;
}

static bool is_conditional(const struct request *request)
{
	return request->method != METHOD_GET && (*request->if_match != '\0' || *request->if_none_match != '\0');
}

static enum db_result rehearse(struct db *db, void *context)
{
	struct request *request = context;

	(void)db; /* the request's own */
	return request->route->handle(request);
}

static enum db_result refuse_condition(struct request *request, const char *message)
{
	request->faults.count = 0;
	return reply_refuse(request, ERROR_PRECONDITION_FAILED, "%s", message);
}

/* Judges the condition by the present reply, which is that of this route. */
static enum db_result judge_condition(struct request *request, const struct route *route)
{
	const struct field_table *configured = configured_fields(route);

	if (*request->if_match != '\0' && !etag_is_wanted(request, configured))
		return refuse_condition(request, "The object does not have the tag in If-Match: read it again.");
	if (request->method != METHOD_GET && *request->if_none_match != '\0' && etag_is_known(request, configured))
		return refuse_condition(request, "The object has a tag in If-None-Match.");
	return DB_OK;
}

static enum db_result check_condition(struct request *request)
{
	const struct route *object = find_object(request->route);

	DB_TRY(object->handle(request));
	return judge_condition(request, object);
}

/* A condition is judged by the object as GET shows it, and the object must not change before the handler runs. Only
 * the handler knows what to lock, so the handler first runs once for its locks. */
static enum db_result handle_conditionally(struct request *request)
{
	DB_TRY(check_condition(request));
	DB_TRY(db_rehearse(request->db, rehearse, request));
	DB_TRY(check_condition(request));
	return request->route->handle(request);
}

static enum db_result handle_in_transaction(struct request *request)
{
	return transaction_handle(request, request->route->handle);
}

static enum db_result change(struct request *request, const struct route *route)
{
	if (is_conditional(request) && find_object(route) == NULL)
		return refuse_condition(request, "No object of this request has an ETag, so it cannot have a condition.");
	if ((route->flags & ROUTE_STREAM) != 0)
		return transaction_stream(request, route->handle);
	if ((route->flags & ROUTE_WAITS) != 0)
		return waiting_run(request, handle_in_transaction);
	return transaction_handle(request, is_conditional(request) ? handle_conditionally : route->handle);
}

/* If the replica does not answer with a success, the writer answers, because it has the latest changes. */
static enum db_result read(struct request *request, const struct route *route)
{
	enum db_result result;

	if ((route->flags & ROUTE_APART) != 0)
		replica_choose(request, request->key.organization_id);
	result = route->handle(request);
	if (result != DB_OK && replica_give_up(request))
		result = route->handle(request);
	if (request->is_apart)
		atomic_fetch_add(request->db == request->writer ? &board->reads_by_writer : &board->reads_by_replica, 1);
	return result;
}

/* Reads, and checks afterwards that the organisation has not moved: its rows might have been deleted meanwhile. */
static enum db_result read_here(struct request *request, const struct route *route)
{
	enum db_result result = read(request, route);

	if (result == DB_OK || result == DB_NOT_FOUND || result == DB_REFUSED)
		DB_TRY(auth_require_here(request));
	return result;
}

static enum db_result handle(struct request *request, const struct route *route)
{
	enum db_result result;

	if (request->method == METHOD_GET) {
		DB_TRY(read_here(request, route));
		return judge_condition(request, route);
	}
	audit_act_as(&(struct audit_actor){ key_owner(&request->key), request->address, "" });
	result = change(request, route);
	audit_act_as(NULL);
	if (route->scope != SCOPE_READ &&
	    (route->flags & (ROUTE_DIALER | ROUTE_WAITS)) == 0) /* a dialer's reports come all the time */
		replica_note_write(request->key.organization_id);
	if (result == DB_OK && (route->flags & ROUTE_WAITS) == 0)
		wake_send(request->conf->database_file); /* there may be work now */
	return result;
}

static enum db_result judge_and_handle(struct request *request, const struct route *route)
{
	bool is_signed = auth_is_by_signature(request);

	DB_TRY(is_signed ? auth_check_signature_headers(request) : check_scope(request, route));
	DB_TRY(read_query(request, route));
	if (request->method != METHOD_GET && request->header_fault != NULL)
		return reply_refuse(request, ERROR_BAD_REQUEST, "%s", request->header_fault);
	DB_TRY(read_input(request, route));
	if (is_signed) /* the body names the calls, and so the possible signers */
		DB_TRY(auth_check_signature(request));
	DB_TRY(handle(request, route));
	if (gives_one_object(route))
		etag_finish(request, configured_fields(route));
	return DB_OK;
}

void route_answer(struct request *request)
{
	reply_drop(request);
	request->route = find_route(request);
	if (request->route != NULL)
		reply_db(request, judge_and_handle(request, request->route));
}

static bool ids_have_types(const struct field_table *table)
{
	for (size_t i = 0; table != NULL && i < table->count; i++) {
		const struct field *field = &table->fields[i];

		if ((field->type == FIELD_ID || field->type == FIELD_IDS) && field->prefix == NULL)
			return false;
		if (!ids_have_types(field->record))
			return false;
	}
	return true;
}

/* Returns whether the audit log has the changes of this route, or the table says why not. */
static bool is_in_audit_log(const struct route *route)
{
	return route->is_audited || (route->flags & (ROUTE_AUDITED_BELOW | ROUTE_UNAUDITED)) != 0;
}

static const char *fault_of(const struct route *route)
{
	bool takes_body = route->method == METHOD_POST || route->method == METHOD_PATCH;

	if (*route->path != '/' || !route_path_is_good(route->path))
		return "has a malformed path";
	bool streams = (route->flags & ROUTE_STREAM) != 0;

	if (takes_body != (route->body != NULL || streams) || takes_body != (route->body_max > 0))
		return "has a body where it should not, or the other way round";
	if (!ids_have_types(route->query) || !ids_have_types(route->body))
		return "takes ids of no type";
	if (route->handle == NULL)
		return "has no handler";
	if ((route->method != METHOD_GET) != is_in_audit_log(route))
		return "says nothing of the audit log (AUDITED, ROUTE_AUDITED_BELOW or ROUTE_UNAUDITED), or is a GET";
	if ((route->flags & ROUTE_DIALER) != 0 && route->scope != SCOPE_REPORTS)
		return "is open to dialers, and not for reports";
	if (route->method == METHOD_PATCH && find_sibling(route, METHOD_GET) == NULL)
		return "has no GET beside it, which If-Match is judged by";
	for (const struct route *other = routes; other < route; other++)
		if (other->method == route->method && strcmp(other->path, route->path) == 0)
			return "is twice in the table";
	return NULL;
}

void route_check_table(void)
{
	for (size_t i = 0; i < route_count; i++) {
		const char *fault = fault_of(&routes[i]);

		if (fault != NULL)
			fatal("route %s %s %s", method_names[routes[i].method], routes[i].path, fault);
	}
}
