#include "domain/results_token.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/vault.h"

/* The size is a multiple of three bytes, so base64 needs no padding. */
struct token {
	uint8_t organization_id[8], expires_at_us[8];
	uint8_t statuses[4];
	struct uuid batch_id;
	uint8_t mac[18];
};

#define SIGNED offsetof(struct token, mac)
static_assert(sizeof(struct token) == 54, "no gaps");
static const char purpose[] = "outdial results token";

static void put(uint8_t *out, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

void results_token_text(const struct results_grant *grant, char out[RESULTS_TOKEN_TEXT])
{
	struct token token = { .batch_id = grant->batch_id };
	uint8_t mac[SHA256_SIZE];
	struct buf text = { 0 };

	put(token.organization_id, sizeof token.organization_id, (uint64_t)grant->organization_id);
	put(token.expires_at_us, sizeof token.expires_at_us, (uint64_t)grant->expires_at_us);
	put(token.statuses, sizeof token.statuses, grant->statuses);
	vault_mac(purpose, &token, SIGNED, mac);
	memcpy(token.mac, mac, sizeof token.mac);
	crypto_base64url(&text, &token, sizeof token);
	memcpy(out, text.data, RESULTS_TOKEN_TEXT);
	buf_free(&text);
}

bool results_token_read(const char *text, struct results_grant *grant)
{
	struct token token;
	struct buf bytes = { 0 };
	bool is_ours = crypto_base64url_decode(&bytes, text) && bytes.len == sizeof token;

	if (is_ours)
		memcpy(&token, bytes.data, sizeof token);
	buf_free(&bytes);
	if (!is_ours || !vault_mac_fits(purpose, &token, SIGNED, token.mac, sizeof token.mac))
		return false;
	*grant = (struct results_grant){
		.batch_id = token.batch_id,
		.organization_id = (int64_t)get(token.organization_id, sizeof token.organization_id),
		.expires_at_us = (int64_t)get(token.expires_at_us, sizeof token.expires_at_us),
		.statuses = (unsigned)get(token.statuses, sizeof token.statuses),
	};
	return true;
}
