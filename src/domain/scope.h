/* What an API key may do. The numbers are stored (api_keys.scopes is a bit set of them). */
#ifndef DOMAIN_SCOPE_H
#define DOMAIN_SCOPE_H

#include <stdbool.h>

enum scope {
	SCOPE_READ,    /* every GET that does not require admin */
	SCOPE_WRITE,   /* create, change, delete */
	SCOPE_REPORTS, /* a dialer's reports, and the calls that it fetches */
	SCOPE_ADMIN,   /* keys, the audit log, the data of a person, changes of the organisation */
	SCOPE__MAX
};

#define SCOPE_BIT(scope) (1u << (scope))
#define SCOPES_ALL (SCOPE_BIT(SCOPE__MAX) - 1)

extern const char *const scope_names[SCOPE__MAX + 1]; /* NULL-terminated */

/* Reads "read,write" or "all". Returns false for an unknown name, or none. */
bool scopes_parse(const char *text, unsigned *scopes);

#endif
