#include "domain/scope.h"

#include <string.h>

const char *const scope_names[SCOPE__MAX + 1] = { "read", "write", "reports", "admin", NULL };

static unsigned find_scope(const char *name, size_t len)
{
	for (unsigned scope = 0; scope < SCOPE__MAX; scope++)
		if (strlen(scope_names[scope]) == len && memcmp(scope_names[scope], name, len) == 0)
			return SCOPE_BIT(scope);
	return len == 3 && memcmp(name, "all", 3) == 0 ? SCOPES_ALL : 0;
}

bool scopes_parse(const char *text, unsigned *scopes)
{
	*scopes = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		unsigned found = find_scope(text, len);

		if (found == 0)
			return false;
		*scopes |= found;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}
