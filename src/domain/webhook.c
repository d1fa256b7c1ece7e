#include "domain/webhook.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"

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

void webhook_secret_text(struct buf *out, const void *secret, size_t len)
{
	buf_puts(out, "whsec_");
	crypto_base64(out, secret, len);
}

void webhook_sign(struct buf *out, const void *secret, size_t secret_len, const char *id,
                  int64_t timestamp_s, const char *body, size_t body_len)
{
	struct buf signed_text = { 0 };
	uint8_t mac[SHA256_SIZE];

	buf_printf(&signed_text, "%s.%" PRId64 ".", id, timestamp_s);
	buf_add(&signed_text, body, body_len);
	crypto_hmac_sha256(secret, secret_len, signed_text.data, signed_text.len, mac);
	buf_puts(out, "v1,");
	crypto_base64(out, mac, sizeof mac);
	buf_free(&signed_text);
}
