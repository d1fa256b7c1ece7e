/* Prints the route table with its tables of fields as JSON, for tests/unit/test_openapi.py. */
#include <stdio.h>

#include "api/reply.h"
#include "api/route.h"
#include "base/json.h"

static const char *const type_names[] = {
	[FIELD_STRING] = "string", [FIELD_INT] = "int",         [FIELD_DECIMAL] = "decimal",   [FIELD_BOOL] = "bool",
	[FIELD_CHOICE] = "choice", [FIELD_CHOICES] = "choices", [FIELD_WEEKDAYS] = "weekdays", [FIELD_ID] = "id",
	[FIELD_IDS] = "ids",       [FIELD_PHONE] = "phone",     [FIELD_PHONES] = "phones",     [FIELD_TIME] = "time",
	[FIELD_WHEN] = "when",     [FIELD_DATES] = "dates",     [FIELD_OBJECT] = "object",     [FIELD_RECORDS] = "records",
};

/* Prints the default as a client would send it; null for types whose only default is "nothing". */
static void write_initial(struct json *json, const struct field *field, const void *at)
{
	switch (field->type) {
	case FIELD_STRING: json_text(json, "initial", *(const char *const *)at); return;
	case FIELD_BOOL: json_bool(json, "initial", *(const bool *)at); return;
	case FIELD_DECIMAL: json_decimal4(json, "initial", *(const int64_t *)at); return;
	case FIELD_INT:
		if (*(const int64_t *)at >= field->min && *(const int64_t *)at <= field->max) {
			json_int(json, "initial", *(const int64_t *)at);
			return;
		}
		break;
	case FIELD_CHOICE:
		if (*(const int *)at >= 0) {
			json_add_string(json, "initial", field->choices[*(const int *)at]);
			return;
		}
		break;
	case FIELD_CHOICES:
		json_begin_array(json, "initial");
		for (int i = 0; field->choices[i] != NULL; i++)
			if ((*(const unsigned *)at & 1u << i) != 0)
				json_add_string(json, NULL, field->choices[i]);
		json_end(json);
		return;
	case FIELD_WEEKDAYS:
		json_begin_array(json, "initial");
		for (int day = 1; day <= 7; day++)
			if ((*(const unsigned *)at & 1u << (day - 1)) != 0)
				json_int(json, NULL, day);
		json_end(json);
		return;
	default: break;
	}
	json_add_null(json, "initial");
}

static void write_table(struct json *json, const char *key, const struct field_table *table);

static void write_field(struct json *json, const struct field_table *table, const struct field *field)
{
	json_begin_object(json, NULL);
	json_add_string(json, "name", field->name);
	json_add_string(json, "type", type_names[field->type]);
	json_bool(json, "required", (field->flags & FIELD_REQUIRED) != 0);
	json_bool(json, "nullable", (field->flags & FIELD_NULLABLE) != 0);
	json_bool(json, "fixed", (field->flags & FIELD_FIXED) != 0);
	json_int(json, "min", field->min);
	json_int(json, "max", field->max);
	json_begin_array(json, "choices");
	for (int i = 0; field->choices != NULL && field->choices[i] != NULL; i++)
		if (*field->choices[i] != '\0')
			json_add_string(json, NULL, field->choices[i]);
	json_end(json);
	write_table(json, "record", field->record);
	write_initial(json, field, (const char *)table->initial + field->offset);
	json_end(json);
}

static void write_table(struct json *json, const char *key, const struct field_table *table)
{
	if (table == NULL) {
		json_add_null(json, key);
		return;
	}
	json_begin_array(json, key);
	for (size_t i = 0; i < table->count; i++)
		write_field(json, table, &table->fields[i]);
	json_end(json);
}

static void write_route(struct json *json, const struct route *route)
{
	json_begin_object(json, NULL);
	json_add_string(json, "method", method_names[route->method]);
	json_add_string(json, "path", route->path);
	json_add_string(json, "scope",
	                route->scope == ROUTE_PUBLIC    ? NULL
	                : route->scope == ROUTE_ANY_KEY ? "any"
	                                                : scope_names[route->scope]);
	json_bool(json, "change", route->method == METHOD_PATCH);
	json_bool(json, "dialer", (route->flags & ROUTE_DIALER) != 0);
	json_bool(json, "stream", (route->flags & ROUTE_STREAM) != 0);
	json_bool(json, "unaudited", (route->flags & ROUTE_UNAUDITED) != 0);
	json_bool(json, "audited_below", (route->flags & ROUTE_AUDITED_BELOW) != 0);
	json_add_string(json, "object", route->is_audited ? audit_object_names[route->audit_object] : NULL);
	json_add_string(json, "action", route->is_audited ? audit_action_names[route->audit_action] : NULL);
	json_int(json, "body_max", (int64_t)route->body_max);
	write_table(json, "query", route->query);
	write_table(json, "body", route->body);
	json_end(json);
}

int main(void)
{
	struct buf out = { 0 };
	struct json json = json_to(&out);

	route_check_table();
	json_begin_object(&json, NULL);
	json_begin_array(&json, "routes");
	for (size_t i = 0; i < route_count; i++)
		write_route(&json, &routes[i]);
	json_end(&json);
	json_begin_array(&json, "errors");
	for (int error = 0; error < ERROR__MAX; error++)
		json_add_string(&json, NULL, reply_error_code((enum error)error));
	json_end(&json);
	json_end(&json);
	puts(buf_text(&out));
	buf_free(&out);
	return 0;
}
