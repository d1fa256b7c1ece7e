/* The few primitives Outdial needs of OpenSSL's libcrypto. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHA256_SIZE 32
#define CRYPTO_KEY_SIZE 32   /* of AES-256 */
#define CRYPTO_NONCE_SIZE 12 /* never used twice with one key */
#define CRYPTO_TAG_SIZE 16
#define ED25519_SIZE 32      /* of a private key (the seed), and of a public one */
#define ED25519_SIGNATURE_SIZE 64

void crypto_random(void *out, size_t len);
void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
/* The same of bytes that come in pieces. crypto_hash_end releases it. */
struct crypto_hash;
struct crypto_hash *crypto_hash_new(void);
void crypto_hash_add(struct crypto_hash *hash, const void *data, size_t len);
void crypto_hash_end(struct crypto_hash *hash, uint8_t out[SHA256_SIZE]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                        uint8_t out[SHA256_SIZE]);
void crypto_base64(struct buf *out, const void *data, size_t len);
/* False: not the base64 of exactly `len` bytes, padded, without anything before or behind it. */
bool crypto_base64_decode(const char *text, void *out, size_t len);
bool crypto_hex_decode(const char *text, void *out, size_t len);

/* In a time that does not depend on where they differ. */
bool crypto_equal(const void *a, const void *b, size_t len);
void crypto_forget(void *data, size_t len); /* also where the compiler sees that nobody reads it again */

/* AES-256-GCM: `len` bytes become as many, and a tag over them and over `more`, which stays in clear. */
struct crypto_box {
	const uint8_t *key, *nonce;
	const void *more;
	size_t more_len;
};
void crypto_encrypt(const struct crypto_box *box, const void *data, size_t len, uint8_t *out,
                    uint8_t tag[CRYPTO_TAG_SIZE]);
/* False: not encrypted so. Then `out` means nothing. */
bool crypto_decrypt(const struct crypto_box *box, const void *data, size_t len, uint8_t *out,
                    const uint8_t tag[CRYPTO_TAG_SIZE]);

void crypto_ed25519_public(const uint8_t secret[ED25519_SIZE], uint8_t out[ED25519_SIZE]);
void crypto_ed25519_sign(const uint8_t secret[ED25519_SIZE], const void *data, size_t len,
                         uint8_t out[ED25519_SIGNATURE_SIZE]);

/* As it may stand in an address: with - and _, without padding. False: the text is not what the first makes of
 * some bytes. */
void crypto_base64url(struct buf *out, const void *data, size_t len);
bool crypto_base64url_decode(struct buf *out, const char *text);

#endif
