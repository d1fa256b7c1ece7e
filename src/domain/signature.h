/* The signatures of webhooks, and of dialers' reports (Standard Webhooks). An endpoint has one secret. For a day after
 * it was replaced, the secret before it signs too. */
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
#define SECRETS_MAX 4 /* if a client replaces them more often within a day, the oldest is lost */

struct signing_secrets {
	size_t count; /* 0: there are none yet */
	struct signing_secret {
		enum signature_type type;
		size_t len;
		uint8_t bytes[SECRET_SIZE_MAX];
		int64_t until_us; /* INSTANT_NEVER for the present secret */
	} list[SECRETS_MAX];  /* the newest first */
};

/* Makes a new secret. The present secret remains valid for a day. */
void secrets_renew(struct signing_secrets *secrets, enum signature_type type, int64_t now_us);

/* Returns until when an old secret signs too; INSTANT_NONE: there is none. */
int64_t secrets_old_until(const struct signing_secrets *secrets, int64_t now_us);

/* Appends the key that a receiver verifies with: whsec_… of an HMAC, whpk_… of a key pair. */
void secrets_receiver_key(const struct signing_secrets *secrets, struct buf *out);

/* Seals the secrets for storage (base/vault.h), for this endpoint, and opens them. Opening returns false if that fails.
 */
void secrets_seal(const struct signing_secrets *secrets, const struct uuid *endpoint, struct buf *out);
bool secrets_open(struct signing_secrets *secrets, const struct uuid *endpoint, const void *sealed, size_t len);

/* Returns whether the secret was stored before secrets were sealed. */
bool secret_is_in_clear(size_t len);
bool secrets_adopt(struct signing_secrets *secrets, const void *secret, size_t len);

struct signed_message {
	const char *id;
	int64_t timestamp_s;
	const char *body;
	size_t body_len;
};

/* Appends the value of the webhook-signature header at the time of the message: v1,BASE64(HMAC-SHA256) or
 * v1a,BASE64(ed25519) over "id.timestamp.body"; then a space and the signature of each old secret. */
void signature_write(struct buf *out, const struct signing_secrets *secrets, const struct signed_message *message);

/* Returns whether the header has a signature of the right form: v1, and the base64 of an HMAC. */
bool signature_is_wellformed(const char *signatures);

/* Returns whether a signature in the header was made with a valid secret. A receiver that verifies with a public key
 * cannot sign: its signatures never fit. */
bool signature_fits(const char *signatures, const struct signing_secrets *secrets, const struct signed_message *message,
                    int64_t now_us);

#endif
