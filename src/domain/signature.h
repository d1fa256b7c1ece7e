/* How webhooks are signed, and what dialers sign in the same way (Standard Webhooks). An endpoint has one
 * secret, and for a day after it was replaced the one before it, which signs along. */
#ifndef DOMAIN_SIGNATURE_H
#define DOMAIN_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

/* The numbers are stored. */
enum signature_type { SIGNATURE_HMAC, SIGNATURE_ED25519, SIGNATURE_TYPE__MAX };
extern const char *const signature_type_names[SIGNATURE_TYPE__MAX + 1]; /* NULL-terminated */

#define SECRET_SIZE_MAX 32
#define SECRETS_MAX 4 /* who replaces them more often within a day loses the oldest */

struct signing_secrets {
	size_t count; /* 0: there are none yet */
	struct signing_secret {
		enum signature_type type;
		size_t len;
		uint8_t bytes[SECRET_SIZE_MAX];
		int64_t until_us; /* INSTANT_NEVER for the one that counts */
	} list[SECRETS_MAX];  /* the newest first */
};

/* A new secret takes the place of the one that counts, which goes on for a day. */
void secrets_renew(struct signing_secrets *secrets, enum signature_type type, int64_t now_us);

/* Until when an old secret signs along; INSTANT_NONE: there is none. */
int64_t secrets_old_until(const struct signing_secrets *secrets, int64_t now_us);

/* What a receiver verifies with: whsec_… of an HMAC, whpk_… of a key pair. */
void secrets_receiver_key(const struct signing_secrets *secrets, struct buf *out);

/* As they are stored (base/vault.h): they belong to this endpoint. False: they cannot be opened. */
void secrets_seal(const struct signing_secrets *secrets, const struct uuid *endpoint, struct buf *out);
bool secrets_open(struct signing_secrets *secrets, const struct uuid *endpoint, const void *sealed, size_t len);

/* From the time before they were sealed. */
bool secret_is_in_clear(size_t len);
bool secrets_adopt(struct signing_secrets *secrets, const void *secret, size_t len);

struct signed_message {
	const char *id;
	int64_t timestamp_s;
	const char *body;
	size_t body_len;
};

/* The value of the webhook-signature header, as of the message's time: v1,BASE64(HMAC-SHA256) or
 * v1a,BASE64(ed25519) over "id.timestamp.body", and the same of old secrets behind spaces. */
void signature_write(struct buf *out, const struct signing_secrets *secrets, const struct signed_message *message);

/* Whether such a header has a signature that could fit: v1, and the base64 of an HMAC. */
bool signature_is_wellformed(const char *signatures);

/* Whether one of the signatures in such a header is by a secret that is valid now. Those who verify with a public
 * key cannot sign: of theirs none fits. */
bool signature_fits(const char *signatures, const struct signing_secrets *secrets,
                    const struct signed_message *message, int64_t now_us);

#endif
