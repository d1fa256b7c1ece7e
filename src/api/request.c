#include "api/request.h"

#include <errno.h>
#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/fingerprint.h"
#include "base/progress.h"

#define PARAMETERS_MAX 32 /* of a query */
#define REQUEST_ID_MAX 64
#define IDEMPOTENCY_KEY_MAX 255

const char *const method_names[METHOD__MAX + 1] = { "GET", "POST", "PATCH", "DELETE", NULL };

static const char *param(char **params, const char *name)
{
	const char *value = FCGX_GetParam(name, params);

	return value != NULL ? value : "";
}

static enum method find_method(const char *name)
{
	int method = 0;

	if (strcmp(name, "HEAD") == 0)
		return METHOD_GET; /* nginx drops the body of the reply */
	while (method < METHOD__MAX && strcmp(method_names[method], name) != 0)
		method++;
	return (enum method)method;
}

/* nginx gives every request an id, which its own log shows too. */
static const char *request_id(struct arena *arena, const char *given)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	size_t len = strlen(given);
	struct uuid own;
	char hex[UUID_HEX];

	if (len > 0 && len <= REQUEST_ID_MAX && strspn(given, allowed) == len)
		return arena_printf(arena, "req_%s", given);
	own = uuid_new();
	uuid_format_hex(&own, hex);
	return arena_printf(arena, "req_%s", hex);
}

static int64_t content_length(const char *text)
{
	char *end;
	long long length;

	if (*text == '\0')
		return 0;
	errno = 0;
	length = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && length >= 0 ? length : -1;
}

/* The header has a name in the contract, and another that is becoming a standard. */
static const char *receive_idempotency_key(struct request *request, char **params)
{
	const char *own = FCGX_GetParam("HTTP_X_IDEMPOTENCY_KEY", params);
	const char *standard = FCGX_GetParam("HTTP_IDEMPOTENCY_KEY", params);
	const char *key = own != NULL ? own : standard;

	request->idempotency_key = key != NULL ? key : "";
	if (key != NULL && *key == '\0')
		return "An idempotency key must not be empty.";
	if (strlen(request->idempotency_key) > IDEMPOTENCY_KEY_MAX)
		return "An idempotency key has at most 255 characters.";
	if (own != NULL && standard != NULL && strcmp(own, standard) != 0)
		return "X-Idempotency-Key and Idempotency-Key must not differ.";
	return NULL;
}

static int count_param(char **params, const char *name)
{
	size_t len = strlen(name);
	int count = 0;

	for (char **param = params; *param != NULL; param++)
		count += strncmp(*param, name, len) == 0 && (*param)[len] == '=';
	return count;
}

/* Finds a fault in headers that decide what a change does. */
static const char *find_header_fault(struct arena *arena, char **params)
{
	static const struct {
		const char *param, *name;
		bool may_be_empty;
	} headers[] = {
		{ "HTTP_X_IDEMPOTENCY_KEY", "X-Idempotency-Key", true },
		{ "HTTP_IDEMPOTENCY_KEY", "Idempotency-Key", true },
		{ "HTTP_CONTENT_ENCODING", "Content-Encoding", true },
		{ "HTTP_CONTENT_TYPE", "Content-Type", true },
		{ "HTTP_IF_MATCH", "If-Match", false },
		{ "HTTP_IF_NONE_MATCH", "If-None-Match", false },
	};

	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const char *value = FCGX_GetParam(headers[i].param, params);

		if (value != NULL && *value == '\0' && !headers[i].may_be_empty)
			return arena_printf(arena, "%s must not be empty.", headers[i].name);
		if (value != NULL && count_param(params, headers[i].param) > 1)
			return arena_printf(arena, "%s must not be sent twice.", headers[i].name);
	}
	return NULL;
}

void request_receive(struct request *request, char **params, struct FCGX_Stream *in)
{
	*request = (struct request){
		.arena = request->arena,
		.db = request->writer,
		.writer = request->writer,
		.reader = request->reader,
		.conf = request->conf,
		.reply = request->reply,
		.worker = request->worker,
		.id = request_id(request->arena, param(params, "REQUEST_ID")),
		.method = find_method(param(params, "REQUEST_METHOD")),
		.path = param(params, "SCRIPT_NAME"),
		.query_string = param(params, "QUERY_STRING"),
		.address = param(params, "REMOTE_ADDR"),
		.authorization = param(params, "HTTP_AUTHORIZATION"),
		.content_type = param(params, "CONTENT_TYPE"),
		.content_encoding = param(params, "HTTP_CONTENT_ENCODING"),
		.if_match = param(params, "HTTP_IF_MATCH"),
		.if_none_match = param(params, "HTTP_IF_NONE_MATCH"),
		.webhook_id = param(params, "HTTP_WEBHOOK_ID"),
		.webhook_timestamp = param(params, "HTTP_WEBHOOK_TIMESTAMP"),
		.webhook_signature = param(params, "HTTP_WEBHOOK_SIGNATURE"),
		.content_length = content_length(param(params, "CONTENT_LENGTH")),
		.is_chunked = *param(params, "HTTP_TRANSFER_ENCODING") != '\0',
		.in = in,
		.body = "",
		.faults = { .arena = request->arena },
	};
	request->header_fault = receive_idempotency_key(request, params);
	if (request->header_fault == NULL)
		request->header_fault = find_header_fault(request->arena, params);
}

bool request_is_read(struct request *request)
{
	int64_t have = (int64_t)request->body_len + request->streamed;

	return !request->is_chunked && have == request->content_length && FCGX_GetChar(request->in) == EOF;
}

bool request_read_body(struct request *request)
{
	size_t len = (size_t)request->content_length;
	char *body = arena_alloc(request->arena, len + 1);
	size_t have = 0;

	while (have < len) {
		int got = FCGX_GetStr(body + have, (int)(len - have), request->in);

		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	request->body = body;
	request->body_len = len;
	return true;
}

size_t request_stream(struct request *request, char bytes[REQUEST_CHUNK])
{
	int64_t left = request->content_length - request->streamed;
	int got = left > 0 ? FCGX_GetStr(bytes, left < REQUEST_CHUNK ? (int)left : REQUEST_CHUNK, request->in) : 0;

	if (got <= 0)
		return 0;
	request->streamed += got;
	progress_note();
	if (request->fingerprint != NULL)
		fingerprint_add(request->fingerprint, bytes, (size_t)got);
	return (size_t)got;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns a decoded copy of a part of the query; NULL if it is malformed or contains a NUL. */
static char *decode(struct arena *arena, const char *text, size_t len)
{
	char *out = arena_alloc(arena, len + 1), *at = out;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			*at++ = text[i] == '+' ? ' ' : text[i];
			continue;
		}
		int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

		if (low < 0 || (high == 0 && low == 0))
			return NULL;
		*at++ = (char)(high * 16 + low);
		i += 2;
	}
	return out;
}

bool request_split_query(struct request *request, struct field_pair **pairs, size_t *count)
{
	const char *at = request->query_string;

	*pairs = arena_alloc(request->arena, PARAMETERS_MAX * sizeof **pairs);
	for (*count = 0; *at != '\0'; at += *at == '&') {
		size_t len = strcspn(at, "&"), name_len = strcspn(at, "&=");
		size_t value_at = name_len < len ? name_len + 1 : len;
		struct field_pair *pair = &(*pairs)[*count];

		if (*count == PARAMETERS_MAX)
			return false;
		pair->name = decode(request->arena, at, name_len);
		pair->value = decode(request->arena, at + value_at, len - value_at);
		if (pair->name == NULL || pair->value == NULL)
			return false;
		*count += len > 0; /* a=1&&b=2 */
		at += len;
	}
	return true;
}
