#include "domain/report_token.h"

#include <string.h>

#include "base/buf.h"
#include "base/vault.h"

/* The size is a multiple of three bytes, so base64 needs no padding. */
struct token {
	struct uuid call_id;
	uint8_t mac[17];
};

static const char prefix[] = REPORT_TOKEN_PREFIX;
static const char purpose[] = "outdial report token";

void report_token_text(const struct uuid *call_id, char out[REPORT_TOKEN_TEXT])
{
	struct token token = { .call_id = *call_id };
	uint8_t mac[SHA256_SIZE];
	struct buf text = { 0 };

	vault_mac(purpose, call_id, sizeof *call_id, mac);
	memcpy(token.mac, mac, sizeof token.mac);
	buf_puts(&text, prefix);
	crypto_base64(&text, &token, sizeof token);
	memcpy(out, text.data, REPORT_TOKEN_TEXT);
	buf_free(&text);
}

bool report_token_read(const char *text, struct uuid *call_id)
{
	struct token token;

	if (strncmp(text, prefix, sizeof prefix - 1) != 0 ||
	    !crypto_base64_decode(text + sizeof prefix - 1, &token, sizeof token))
		return false;
	*call_id = token.call_id;
	return vault_mac_fits(purpose, call_id, sizeof *call_id, token.mac, sizeof token.mac);
}
