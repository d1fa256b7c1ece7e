#include "api/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/zone.h"

static const struct {
	const char *code;
	int status;
	bool passes; /* the error passes: the same request may succeed later */
} errors[ERROR__MAX] = {
	[ERROR_BAD_REQUEST] = { "bad_request", 400, false },
	[ERROR_UNAUTHORIZED] = { "unauthorized", 401, false },
	[ERROR_FORBIDDEN] = { "forbidden", 403, false },
	[ERROR_NOT_FOUND] = { "not_found", 404, false },
	[ERROR_METHOD_NOT_ALLOWED] = { "method_not_allowed", 405, false },
	[ERROR_IDEMPOTENCY_CONFLICT] = { "idempotency_conflict", 409, true },
	[ERROR_PRECONDITION_FAILED] = { "precondition_failed", 412, false },
	[ERROR_PAYLOAD_TOO_LARGE] = { "payload_too_large", 413, false },
	[ERROR_UNSUPPORTED_MEDIA_TYPE] = { "unsupported_media_type", 415, false },
	[ERROR_MOVED] = { "organization_moved", 421, true },
	[ERROR_VALIDATION] = { "validation_error", 422, false },
	[ERROR_INVALID_STATE] = { "invalid_state", 422, false },
	[ERROR_AGENT_NOT_READY] = { "agent_not_ready", 422, true },
	[ERROR_NO_PHONE_NUMBER] = { "no_phone_number_configured", 422, false },
	[ERROR_NO_CONTACTS] = { "no_contacts", 422, false },
	[ERROR_CONTACT_LIMIT] = { "contact_limit", 422, true },
	[ERROR_RATE_LIMIT] = { "rate_limit_exceeded", 429, true },
	[ERROR_INTERNAL] = { "internal_error", 500, true },
	[ERROR_UNAVAILABLE] = { "unavailable", 503, true },
};

const char *reply_error_code(enum error error)
{
	return errors[error].code;
}

static const char *phrase(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 204: return "No Content";
	case 304: return "Not Modified";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 409: return "Conflict";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 422: return "Unprocessable Content";
	case 429: return "Too Many Requests";
	case 500: return "Internal Server Error";
	case 503: return "Service Unavailable";
	default: return "";
	}
}

static struct reply *start(struct request *request, int status)
{
	struct reply *reply = request->reply;

	reply->status = status;
	reply->media_type = "application/json";
	reply->passes = false;
	reply->caching = "no-store";
	reply->data_len = reply->secret_len = 0;
	reply->next = NULL;
	buf_reset(&reply->headers);
	buf_reset(&reply->body);
	reply->json = json_to(&reply->body);
	return reply;
}

void reply_drop(struct request *request)
{
	request->faults.count = 0;
	request->reply->status = 0;
}

struct json *reply_begin(struct request *request, int status)
{
	struct reply *reply = start(request, status);

	json_begin_object(&reply->json, NULL);
	return &reply->json;
}

struct json *reply_begin_meta(struct request *request)
{
	struct json *json = &request->reply->json;

	request->reply->data_len = request->reply->body.len;
	json_begin_object(json, "meta");
	json_add_string(json, "request_id", request->id);
	json_instant(json, "ts", clock_now_us());
	return json;
}

enum db_result reply_end_meta(struct request *request)
{
	json_end(&request->reply->json);
	json_end(&request->reply->json);
	return DB_OK;
}

enum db_result reply_end(struct request *request)
{
	reply_begin_meta(request);
	return reply_end_meta(request);
}

struct json *reply_begin_object(struct request *request, int status)
{
	struct json *json = reply_begin(request, status);

	json_begin_object(json, "data");
	return json;
}

enum db_result reply_end_object(struct request *request)
{
	json_end(&request->reply->json);
	return reply_end(request);
}

enum db_result reply_object(struct request *request, int status, json_write_members *write, const void *object)
{
	json_add_object(reply_begin(request, status), "data", write, object);
	return reply_end(request);
}

void reply_secret(struct request *request, const char *key, const char *value)
{
	struct reply *reply = request->reply;

	json_add_string(&reply->json, key, value);
	reply->secret_len = strlen(value) + 2; /* with its quotes; it has no characters that JSON escapes */
	reply->secret_at = reply->body.len - reply->secret_len;
}

const char *reply_to_keep(const struct request *request)
{
	const struct reply *reply = request->reply;
	const char *body = buf_text(&reply->body);

	if (reply->secret_len == 0)
		return body;
	return arena_printf(request->arena, "%.*snull%s", (int)reply->secret_at, body,
	                    body + reply->secret_at + reply->secret_len);
}

void reply_kept(struct request *request, int status, const char *body)
{
	buf_puts(&start(request, status)->body, body);
}

void reply_text(struct request *request, const char *json, size_t len)
{
	struct reply *reply = start(request, 200);

	buf_add(&reply->body, json, len);
	reply->data_len = len;
}

enum db_result reply_no_content(struct request *request)
{
	start(request, 204);
	return DB_OK;
}

enum db_result reply_not_modified(struct request *request)
{
	start(request, 304);
	return DB_OK;
}

struct buf *reply_plain(struct request *request, const char *media_type)
{
	struct reply *reply = start(request, 200);

	reply->media_type = media_type;
	return &reply->body;
}

enum db_result reply_in_parts(struct request *request, const char *media_type, reply_part *next, void *parts)
{
	struct reply *reply = start(request, 200);

	reply->media_type = media_type;
	reply->next = next;
	reply->parts = parts;
	return DB_OK;
}

static void write_faults(struct json *json, const struct faults *faults)
{
	if (faults->count == 0)
		return;
	json_add_string(json, "field", faults->list[0].field);
	json_add_string(json, "reason", faults->list[0].reason);
	json_begin_array(json, "errors");
	for (size_t i = 0; i < faults->count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, "field", faults->list[i].field);
		json_add_string(json, "reason", faults->list[i].reason);
		json_end(json);
	}
	json_end(json);
}

static enum db_result write_error(struct request *request, enum error error, const char *message)
{
	struct json *json = reply_begin(request, errors[error].status);

	request->reply->passes = errors[error].passes;
	json_begin_object(json, "error");
	json_add_string(json, "code", errors[error].code);
	json_add_string(json, "message", message);
	json_begin_object(json, "details");
	write_faults(json, &request->faults);
	json_end(json);
	json_end(json);
	reply_end(request);
	return DB_REFUSED;
}

enum db_result reply_refuse(struct request *request, enum error error, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	return write_error(request, error, message);
}

enum db_result reply_refuse_faults(struct request *request, enum error error)
{
	const struct fault *first = &request->faults.list[0];
	bool passes = strcmp(first->reason, zone_cannot_say) == 0; /* then the fault is the server's */

	write_error(request, passes ? ERROR_UNAVAILABLE : error,
	            arena_printf(request->arena, "%s: %s", first->field, first->reason));
	if (passes)
		reply_header(request, "Retry-After", "10");
	return DB_REFUSED;
}

enum db_result reply_refuse_field(struct request *request, const char *field, const char *format, ...)
{
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	request->faults.count = 0; /* drops the reply of an earlier run of the same transaction */
	fault_add(&request->faults, field, "%s", reason);
	return reply_refuse_faults(request, ERROR_VALIDATION);
}

void reply_db(struct request *request, enum db_result result)
{
	switch (result) {
	case DB_OK:
	case DB_REFUSED:
		if (request->reply->status != 0)
			return;
		break; /* what the reply holds is another request's */
	case DB_NOT_FOUND: reply_refuse(request, ERROR_NOT_FOUND, "There is no such object."); return;
	case DB_CONFLICT:
	case DB_LOST:
	case DB_UNKNOWN:
		reply_refuse(request, ERROR_UNAVAILABLE, "The database does not answer: try again in a moment.");
		reply_header(request, "Retry-After", "1");
		return;
	case DB_DUPLICATE: /* a handler that may get this result replies to it itself */
	case DB_ERROR:
	case DB_RESULT__MAX: break;
	}
	log_error("%s %s ended with database result %d", method_names[request->method], request->path, (int)result);
	reply_refuse(request, ERROR_INTERNAL, "Something went wrong inside the server.");
}

void reply_header(struct request *request, const char *name, const char *value)
{
	buf_printf(&request->reply->headers, "%s: %s\r\n", name, value);
}

void reply_head(const struct request *request, struct buf *out)
{
	const struct reply *reply = request->reply;

	buf_printf(out, "Status: %d %s\r\nX-Request-Id: %s\r\n", reply->status, phrase(reply->status), request->id);
	buf_printf(out, "Cache-Control: %s\r\nX-Content-Type-Options: nosniff\r\n", reply->caching);
	if (reply->status != 204 && reply->status != 304)
		buf_printf(out, "Content-Type: %s\r\n", reply->media_type);
	if (reply->status != 204 && reply->status != 304 && reply->next == NULL)
		buf_printf(out, "Content-Length: %zu\r\n", reply->body.len);
	buf_puts(out, buf_text(&reply->headers));
	buf_puts(out, "\r\n");
}
