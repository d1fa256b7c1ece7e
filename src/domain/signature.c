#include "domain/signature.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/vault.h"

#define OVERLAP_US US_PER_DAY
#define HMAC_SECRET_SIZE 24
#define HMAC_TEXT 44 /* characters: the base64 of SHA256_SIZE bytes */
#define RECORD_MAX (1 + SECRETS_MAX * (2 + 8 + SECRET_SIZE_MAX))

const char *const signature_type_names[SIGNATURE_TYPE__MAX + 1] = {
	[SIGNATURE_HMAC] = "hmac", [SIGNATURE_ED25519] = "ed25519"
};

static bool is_valid(const struct signing_secret *secret, int64_t now_us)
{
	return secret->until_us > now_us;
}

/* Drops secrets that have expired, and makes room for one more. */
static void make_room(struct signing_secrets *secrets, int64_t now_us)
{
	size_t kept = 0;

	for (size_t i = 0; i < secrets->count; i++)
		if (is_valid(&secrets->list[i], now_us))
			secrets->list[kept++] = secrets->list[i];
	if (kept == SECRETS_MAX)
		kept--;
	secrets->count = kept;
}

void secrets_renew(struct signing_secrets *secrets, enum signature_type type, int64_t now_us)
{
	struct signing_secret *fresh = &secrets->list[0];

	make_room(secrets, now_us);
	if (secrets->count > 0)
		secrets->list[0].until_us = now_us + OVERLAP_US;
	memmove(&secrets->list[1], &secrets->list[0], secrets->count * sizeof *fresh);
	secrets->count++;
	*fresh = (struct signing_secret){
		.type = type,
		.len = type == SIGNATURE_ED25519 ? ED25519_SIZE : HMAC_SECRET_SIZE,
		.until_us = INSTANT_NEVER,
	};
	crypto_random(fresh->bytes, fresh->len);
}

int64_t secrets_old_until(const struct signing_secrets *secrets, int64_t now_us)
{
	bool any = secrets->count > 1 && is_valid(&secrets->list[1], now_us);

	return any ? secrets->list[1].until_us : INSTANT_NONE;
}

void secrets_receiver_key(const struct signing_secrets *secrets, struct buf *out)
{
	const struct signing_secret *secret = &secrets->list[0];
	uint8_t public_key[ED25519_SIZE];

	if (secret->type == SIGNATURE_HMAC) {
		buf_puts(out, "whsec_");
		crypto_base64(out, secret->bytes, secret->len);
		return;
	}
	crypto_ed25519_public(secret->bytes, public_key);
	buf_puts(out, "whpk_");
	crypto_base64(out, public_key, sizeof public_key);
}

/* A byte with the number of secrets; then for each its type, its length, its expiry (8 bytes, the highest first) and
 * its bytes. */
void secrets_seal(const struct signing_secrets *secrets, const struct uuid *endpoint, struct buf *out)
{
	uint8_t record[RECORD_MAX], *at = record;

	*at++ = (uint8_t)secrets->count;
	for (size_t i = 0; i < secrets->count; i++) {
		const struct signing_secret *secret = &secrets->list[i];

		*at++ = (uint8_t)secret->type;
		*at++ = (uint8_t)secret->len;
		for (int shift = 56; shift >= 0; shift -= 8)
			*at++ = (uint8_t)((uint64_t)secret->until_us >> shift);
		memcpy(at, secret->bytes, secret->len);
		at += secret->len;
	}
	vault_seal(out, endpoint, record, (size_t)(at - record));
	crypto_forget(record, sizeof record);
}

/* Returns the byte after the secret that was read; NULL: secrets_seal did not write this. */
static const uint8_t *read_secret(const uint8_t *at, const uint8_t *end, struct signing_secret *secret)
{
	uint64_t until = 0;

	if (end - at < 10)
		return NULL;
	*secret = (struct signing_secret){ .type = (enum signature_type)at[0], .len = at[1] };
	for (int i = 2; i < 10; i++)
		until = until << 8 | at[i];
	secret->until_us = (int64_t)until;
	at += 10;
	if (secret->type >= SIGNATURE_TYPE__MAX || secret->len > SECRET_SIZE_MAX || (size_t)(end - at) < secret->len)
		return NULL;
	memcpy(secret->bytes, at, secret->len);
	return at + secret->len;
}

bool secrets_open(struct signing_secrets *secrets, const struct uuid *endpoint, const void *sealed, size_t len)
{
	uint8_t record[RECORD_MAX];
	const uint8_t *at = record + 1, *end;

	secrets->count = 0;
	if (len <= VAULT_OVERHEAD || len - VAULT_OVERHEAD > sizeof record || !vault_open(endpoint, sealed, len, record))
		return false;
	end = record + len - VAULT_OVERHEAD;
	while (secrets->count < record[0] && secrets->count < SECRETS_MAX &&
	       (at = read_secret(at, end, &secrets->list[secrets->count])) != NULL)
		secrets->count++;
	crypto_forget(record, sizeof record);
	return at == end && secrets->count > 0;
}

bool secret_is_in_clear(size_t len)
{
	return len <= VAULT_OVERHEAD;
}

bool secrets_adopt(struct signing_secrets *secrets, const void *secret, size_t len)
{
	if (len > SECRET_SIZE_MAX)
		return false;
	*secrets = (struct signing_secrets){
		.count = 1, .list = { { .type = SIGNATURE_HMAC, .len = len, .until_us = INSTANT_NEVER } }
	};
	memcpy(secrets->list[0].bytes, secret, len);
	return true;
}

static void write_signed_text(struct buf *out, const struct signed_message *message)
{
	buf_printf(out, "%s.%" PRId64 ".", message->id, message->timestamp_s);
	buf_add(out, message->body, message->body_len);
}

static void write_one(struct buf *out, const struct signing_secret *secret, const struct buf *text)
{
	uint8_t signature[ED25519_SIGNATURE_SIZE];

	if (secret->type == SIGNATURE_ED25519) {
		crypto_ed25519_sign(secret->bytes, text->data, text->len, signature);
		buf_puts(out, "v1a,");
		crypto_base64(out, signature, ED25519_SIGNATURE_SIZE);
	} else {
		crypto_hmac_sha256(secret->bytes, secret->len, text->data, text->len, signature);
		buf_puts(out, "v1,");
		crypto_base64(out, signature, SHA256_SIZE);
	}
}

void signature_write(struct buf *out, const struct signing_secrets *secrets, const struct signed_message *message)
{
	int64_t now_us = message->timestamp_s * US_PER_SECOND;
	struct buf text = { 0 };

	write_signed_text(&text, message);
	for (size_t i = 0; i < secrets->count; i++) {
		if (!is_valid(&secrets->list[i], now_us))
			continue;
		if (i > 0)
			buf_putc(out, ' ');
		write_one(out, &secrets->list[i], &text);
	}
	buf_free(&text);
}

/* Returns whether a list of items separated by spaces has this text. */
static bool list_has(const char *list, const struct buf *wanted)
{
	bool found = false;

	for (size_t len; *list != '\0'; list += len) {
		list += strspn(list, " ");
		len = strcspn(list, " ");
		found |= len == wanted->len && crypto_equal(list, wanted->data, len);
	}
	return found;
}

bool signature_is_wellformed(const char *signatures)
{
	static const char version[] = "v1,";
	const size_t version_len = sizeof version - 1;
	uint8_t mac[SHA256_SIZE];

	for (size_t len; *signatures != '\0'; signatures += len) {
		char text[HMAC_TEXT + 1];

		signatures += strspn(signatures, " ");
		len = strcspn(signatures, " ");
		if (len != version_len + HMAC_TEXT || strncmp(signatures, version, version_len) != 0)
			continue;
		memcpy(text, signatures + version_len, HMAC_TEXT);
		text[HMAC_TEXT] = '\0';
		if (crypto_base64_decode(text, mac, sizeof mac))
			return true;
	}
	return false;
}

bool signature_fits(const char *signatures, const struct signing_secrets *secrets, const struct signed_message *message,
                    int64_t now_us)
{
	struct buf text = { 0 }, right = { 0 };
	bool fits = false;

	write_signed_text(&text, message);
	for (size_t i = 0; i < secrets->count; i++) {
		if (secrets->list[i].type != SIGNATURE_HMAC || !is_valid(&secrets->list[i], now_us))
			continue;
		buf_reset(&right);
		write_one(&right, &secrets->list[i], &text);
		fits |= list_has(signatures, &right);
	}
	buf_free(&text);
	buf_free(&right);
	return fits;
}
