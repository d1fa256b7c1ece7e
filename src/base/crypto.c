#include "base/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/log.h"

void crypto_random(void *out, size_t len)
{
	if (len > INT_MAX || RAND_bytes(out, (int)len) != 1)
		fatal("no random numbers from libcrypto");
}

void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		fatal("libcrypto has no SHA-256");
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                        uint8_t out[SHA256_SIZE])
{
	if (HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) == NULL)
		fatal("libcrypto has no HMAC-SHA256");
}

void crypto_base64(struct buf *out, const void *data, size_t len)
{
	unsigned char text[65];
	const unsigned char *from = data;

	for (; len > 0; ) { /* 48 bytes make 64 characters: only the last part is padded */
		int part = len < 48 ? (int)len : 48;
		int made = EVP_EncodeBlock(text, from, part);

		buf_add(out, text, (size_t)made);
		from += part;
		len -= (size_t)part;
	}
}
