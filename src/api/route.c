#include "api/route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/auth.h"
#include "api/etag.h"
#include "api/media_type.h"
#include "api/reply.h"
#include "api/transaction.h"
#include "api/upload.h"
#include "base/log.h"
#include "base/wake.h"

#define ID_TEXT_MAX 48 /* a UUID and its prefix */
#define PHONE_TEXT_MAX 32

const struct field_table no_fields = { .initial = "" };

/* The prefix of an id in a path, told by what stands before its hole; NULL: nobody knows it. */
static const char *prefix_of(const char *path, const char *hole)
{
	static const struct {
		const char *before, *prefix;
	} types[] = {
		{ "/agents/", ID_AGENT }, { "/numbers/", ID_NUMBER }, { "/contacts/", ID_CONTACT }, { "/folders/", ID_FOLDER },
		{ "/batch-calls/", ID_BATCH }, { "/calls/", ID_CALL }, { "/webhooks/", ID_WEBHOOK }, { "/keys/", ID_KEY },
		{ "/deliveries/", "" },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t len = strlen(types[i].before);

		if ((size_t)(hole - path) >= len && memcmp(hole - len, types[i].before, len) == 0)
			return types[i].prefix;
	}
	return NULL;
}

static bool match_id(const char *text, size_t len, const char *prefix, struct uuid *id)
{
	char copy[ID_TEXT_MAX];

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return uuid_parse_id(copy, prefix, id);
}

static bool match_position(const char *text, size_t len, int64_t *position)
{
	if (len == 0 || len > 10 || *text == '0' || strspn(text, "0123456789") < len)
		return false;
	*position = strtoll(text, NULL, 10);
	return *position <= UINT32_MAX;
}

static bool match_phone(struct arena *arena, const char *text, size_t len, const char **phone_number)
{
	*phone_number = arena_strndup(arena, text, len < PHONE_TEXT_MAX ? len : PHONE_TEXT_MAX);
	return phone_is_e164(*phone_number);
}

/* Fills the members of the request that the hole stands for. */
static bool match_hole(const char *route, const char *hole, const char *text, size_t len, struct request *request, size_t *ids)
{
	switch (hole[2]) {
	case 'd': return match_id(text, len, prefix_of(route, hole), &request->ids[(*ids)++]);
	case 'h': return match_phone(request->arena, text, len, &request->phone_number);
	default: return match_position(text, len, &request->position);
	}
}

static bool match(const char *route, struct request *request)
{
	const char *pattern = route, *path = request->path;
	size_t ids = 0;

	while (*pattern != '\0') {
		if (*pattern != '<') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");

		if (!match_hole(route, pattern, path, len, request, &ids))
			return false;
		path += len;
		pattern = strchr(pattern, '>') + 1;
	}
	return *path == '\0';
}

/* Path, method. */
static const struct route *find_route(struct request *request)
{
	unsigned allowed = 0;
	struct buf allow = { 0 };

	for (size_t i = 0; i < route_count; i++) {
		if (!match(routes[i].path, request))
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
		return reply_refuse(request, ERROR_FORBIDDEN, "This API key lacks the scope `%s`.",
		                    scope_names[route->scope]);
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
		return reply_refuse(request, ERROR_BAD_REQUEST,
		                    "The length of the body is not a number.");
	if ((uint64_t)request->content_length > route->body_max)
		return reply_refuse(request, ERROR_PAYLOAD_TOO_LARGE,
		                    "The body must not be longer than %zu bytes.",
		                    route->body_max);
	return DB_OK;
}

/* Bodies are taken as they are meant: in UTF-8 (files also in other charsets), and not compressed. */
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
		return reply_refuse(request, ERROR_UNSUPPORTED_MEDIA_TYPE,
		                    "The body must be text/csv or multipart/form-data.");
	return check_encoding(request, upload_is_known_charset(request->content_type));
}

/* Size, media type. An empty body stands for {} and needs no media type. */
static enum db_result read_body(struct request *request, const struct route *route)
{
	DB_TRY(check_size(request, route));
	if (request->content_length > 0 && !media_type_is(request->content_type, "application/json"))
		return reply_refuse(request, ERROR_UNSUPPORTED_MEDIA_TYPE,
		                    "The body must be application/json.");
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
	switch (field_read(table, mode, request->body, request->body_len, request->input,
	                   &request->given, &request->faults)) {
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

/* Those whose path ends in a hole, or that there is only one of to be changed. */
static bool gives_one_object(const struct route *route)
{
	return (route->method == METHOD_GET && (route->path[strlen(route->path) - 1] == '>' ||
	                                        find_sibling(route, METHOD_PATCH) != NULL)) ||
	       route->method == METHOD_PATCH;
}

/* What PATCH takes of such an object; NULL: it cannot be changed. */
static const struct field_table *configured_fields(const struct route *route)
{
	const struct route *patch = find_sibling(route, METHOD_PATCH);

	return patch != NULL ? patch->body : NULL;
}

/* GET of the object that a request changes or deletes, or whose action it is (POST …/<id>/pause). NULL: there is none, and
 * so there is no ETag either. */
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

/* Judged by the reply that stands, which is that of this route. */
static enum db_result judge_condition(struct request *request, const struct route *route)
{
	const struct field_table *configured = configured_fields(route);

	if (*request->if_match != '\0' && !etag_is_wanted(request, configured))
		return refuse_condition(request, "The object is not the one that If-Match names: read it again.");
	if (request->method != METHOD_GET && *request->if_none_match != '\0' && etag_is_known(request, configured))
		return refuse_condition(request, "The object is one that If-None-Match names.");
	return DB_OK;
}

static enum db_result check_condition(struct request *request)
{
	const struct route *object = find_object(request->route);

	DB_TRY(object->handle(request));
	return judge_condition(request, object);
}

/* A condition is judged by the object as GET gives it, and the object must not change between that and
 * the handler. What to lock only the handler knows: so it runs once for its locks. */
static enum db_result handle_conditionally(struct request *request)
{
	DB_TRY(check_condition(request));
	DB_TRY(db_rehearse(request->db, rehearse, request));
	DB_TRY(check_condition(request));
	return request->route->handle(request);
}

static enum db_result change(struct request *request, const struct route *route)
{
	if (is_conditional(request) && find_object(route) == NULL)
		return refuse_condition(request, "Nothing here has an ETag: a request under a condition cannot be judged.");
	if ((route->flags & ROUTE_STREAM) != 0)
		return transaction_stream(request, route->handle);
	return transaction_handle(request, is_conditional(request) ? handle_conditionally : route->handle);
}

static enum db_result handle(struct request *request, const struct route *route)
{
	enum db_result result;

	if (request->method == METHOD_GET) {
		DB_TRY(route->handle(request));
		return judge_condition(request, route);
	}
	result = change(request, route);
	if (result == DB_OK)
		wake_tell(request->conf->database_file); /* it may be something to do */
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
	if (is_signed) /* by whom, the body says: it names the calls */
		DB_TRY(auth_check_signature(request));
	DB_TRY(handle(request, route));
	if (gives_one_object(route))
		etag_finish(request, configured_fields(route));
	return DB_OK;
}

void route_answer(struct request *request)
{
	request->route = find_route(request);
	if (request->route != NULL)
		reply_db(request, judge_and_handle(request, request->route));
}

/* Only <id>, <position> and <phone> are holes, and not more of them than a request has room for. */
static bool holes_are_known(const char *path)
{
	int ids = 0, others = 0, holes = 0;

	for (const char *hole = strchr(path, '<'); hole != NULL; hole = strchr(hole + 1, '<')) {
		ids += strncmp(hole, "<id>", 4) == 0;
		others += strncmp(hole, "<position>", 10) == 0 || strncmp(hole, "<phone>", 7) == 0;
		holes++;
		if (hole[-1] != '/' || (hole[2] == 'd' && prefix_of(path, hole) == NULL))
			return false;
	}
	return ids + others == holes && ids <= REQUEST_HOLES_MAX && others <= 1;
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

static const char *fault_of(const struct route *route)
{
	bool takes_body = route->method == METHOD_POST || route->method == METHOD_PATCH;

	if (*route->path != '/' || !holes_are_known(route->path))
		return "has a malformed path";
	bool streams = (route->flags & ROUTE_STREAM) != 0;

	if (takes_body != (route->body != NULL || streams) || takes_body != (route->body_max > 0))
		return "has a body where it should not, or the other way round";
	if (!ids_have_types(route->query) || !ids_have_types(route->body))
		return "takes ids of no type";
	if (route->handle == NULL)
		return "has no handler";
	if ((route->flags & ROUTE_DIALER) != 0 && route->scope != SCOPE_REPORTS)
		return "is open to dialers, and not for reports";
	if (route->method == METHOD_PATCH && find_sibling(route, METHOD_GET) == NULL)
		return "has no GET beside it, which If-Match is judged by";
	for (const struct route *other = routes; other < route; other++)
		if (other->method == route->method && strcmp(other->path, route->path) == 0)
			return "stands twice in the table";
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
