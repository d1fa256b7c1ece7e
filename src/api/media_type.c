#include "api/media_type.h"

#include <string.h>
#include <strings.h>

#define CHARSET_SIZE 32

bool media_type_is(const char *value, const char *type)
{
	size_t len = strcspn(value, "; \t");

	return len == strlen(type) && strncasecmp(value, type, len) == 0;
}

/* Copies a text, with or without quotes, up to its end. Returns the end. */
static const char *copy_text(const char *at, char *out, size_t size)
{
	bool is_quoted = *at == '"';
	size_t len = 0;

	at += is_quoted;
	while (*at != '\0' && (is_quoted ? *at != '"' : strchr("; \t\r\n", *at) == NULL)) {
		at += is_quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\');
		if (len < size)
			out[len] = *at;
		len++;
		at++;
	}
	out[len < size ? len : 0] = '\0';
	return at + (is_quoted && *at == '"');
}

bool media_type_parameter(const char *value, const char *name, char *out, size_t size)
{
	const char *at = value + strcspn(value, ";");
	size_t name_len = strlen(name);

	while (*at == ';') {
		char ignored[1];

		at += 1 + strspn(at + 1, " \t");
		if (strncasecmp(at, name, name_len) == 0 && at[name_len] == '=') {
			copy_text(at + name_len + 1, out, size);
			return true;
		}
		at += strcspn(at, "=;");
		if (*at == '=')
			at = copy_text(at + 1, ignored, sizeof ignored);
		at += strcspn(at, ";");
	}
	return false;
}

bool media_type_is_utf8(const char *value)
{
	static const char *const names[] = { "utf-8", "utf8", "us-ascii" };
	char charset[CHARSET_SIZE];

	if (!media_type_parameter(value, "charset", charset, sizeof charset))
		return true;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(charset, names[i]) == 0)
			return true;
	return false;
}
