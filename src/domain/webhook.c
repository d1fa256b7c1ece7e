#include "domain/webhook.h"

#include <string.h>
#include <strings.h>

const char *webhook_url_fault(const char *url, bool allow_http)
{
	bool https = strncasecmp(url, "https://", 8) == 0;
	const char *host = url + (https ? 8 : 7);

	if (!https && strncasecmp(url, "http://", 7) != 0)
		return "must begin with https://";
	if (!https && !allow_http)
		return "must begin with https:// (plain http is not allowed by the operator)";
	if (strcspn(host, "/?#:") == 0)
		return "names no host";
	if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
		return "must not carry user names or passwords";
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return "must not contain spaces, control or non-ASCII characters";
	return NULL;
}
