/* The few primitives of OpenSSL's libcrypto that Outdial needs. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHA256_SIZE 32
#define CRYPTO_KEY_SIZE 32   /* of AES-256 */
#define CRYPTO_NONCE_SIZE 12 /* a nonce is never used twice with one key */
#define CRYPTO_TAG_SIZE 16
#define ED25519_SIZE 32 /* of a private key (its seed) and of a public key */
#define ED25519_SIGNATURE_SIZE 64

void crypto_random(void *out, size_t len);
void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
/* SHA-256 of bytes that come in pieces. crypto_hash_end releases the hash. */
struct crypto_hash;
struct crypto_hash *crypto_hash_new(void);
void crypto_hash_add(struct crypto_hash *hash, const void *data, size_t len);
void crypto_hash_end(struct crypto_hash *hash, uint8_t out[SHA256_SIZE]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_SIZE]);
void crypto_base64(struct buf *out, const void *data, size_t len);
/* Returns false unless the text is exactly the padded base64 of `len` bytes. */
bool crypto_base64_decode(const char *text, void *out, size_t len);
bool crypto_hex_decode(const char *text, void *out, size_t len);

/* Compares in a time that does not depend on where the bytes differ. */
bool crypto_equal(const void *a, const void *b, size_t len);
/* Overwrites the data. The compiler cannot remove this call, even if nothing reads the data afterwards. */
void crypto_forget(void *data, size_t len);

/* Encrypts `len` bytes with AES-256-GCM; the result has the same length. The tag also covers `more`, which is not
 * encrypted. */
struct crypto_box {
	const uint8_t *key, *nonce;
	const void *more;
	size_t more_len;
};
void crypto_encrypt(const struct crypto_box *box, const void *data, size_t len, uint8_t *out,
                    uint8_t tag[CRYPTO_TAG_SIZE]);
/* Returns false if the bytes were not encrypted in this way. Then `out` is meaningless. */
bool crypto_decrypt(const struct crypto_box *box, const void *data, size_t len, uint8_t *out,
                    const uint8_t tag[CRYPTO_TAG_SIZE]);

void crypto_ed25519_public(const uint8_t secret[ED25519_SIZE], uint8_t out[ED25519_SIZE]);
void crypto_ed25519_sign(const uint8_t secret[ED25519_SIZE], const void *data, size_t len,
                         uint8_t out[ED25519_SIGNATURE_SIZE]);

/* Base64 for URLs: it uses - and _, and has no padding. The decoder returns false for a text that the encoder would not
 * write. */
void crypto_base64url(struct buf *out, const void *data, size_t len);
bool crypto_base64url_decode(struct buf *out, const char *text);

#endif
