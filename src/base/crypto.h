/* The few primitives Outdial needs of OpenSSL's libcrypto. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHA256_SIZE 32

void crypto_random(void *out, size_t len);
void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                        uint8_t out[SHA256_SIZE]);
void crypto_base64(struct buf *out, const void *data, size_t len);

#endif
