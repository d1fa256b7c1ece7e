/* For test_json_read.py: reads bodies, each after a line with its length, by a table whose one field `data` is an
 * object. Prints for each body the object as it would be stored, or the fault, and then a NUL. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/field.h"

static const char *const initial = "";

static const struct field list[] = { { .name = "data", .type = FIELD_OBJECT, .max = 64 << 20 } };

static const struct field_table table = { list, 1, sizeof(const char *), &initial };

static void judge(struct arena *arena, const char *body, size_t len)
{
	static const char *const results[] = { [FIELD_BAD_JSON] = "bad", [FIELD_INVALID] = "invalid" };
	struct faults faults = { .arena = arena };
	const char *data = "";
	uint64_t given;
	enum field_result result = field_read(&table, FIELD_CREATE, body, len, &data, &given, &faults);

	if (result == FIELD_OK)
		printf("ok %s%c", data, 0);
	else
		printf("%s %s %s%c", results[result], faults.list[0].field, faults.list[0].reason, 0);
}

int main(void)
{
	struct arena *arena = arena_new();
	size_t len;

	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		char *body = malloc(len + 1); /* allocated separately, so that a sanitizer notices reads beyond it */

		if (body == NULL || fread(body, 1, len, stdin) != len)
			return EXIT_FAILURE;
		body[len] = '\0';
		judge(arena, body, len);
		free(body);
		arena_reset(arena);
	}
	arena_free(arena);
	return EXIT_SUCCESS;
}
