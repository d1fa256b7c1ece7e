/* The hash of a streamed body, by which a repeated request is recognised. Of a form only the parts are hashed, because
 * their boundary differs each time. */
#ifndef API_FINGERPRINT_H
#define API_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

struct fingerprint;

struct fingerprint *fingerprint_new(const char *content_type);
void fingerprint_add(struct fingerprint *fingerprint, const char *bytes, size_t len);
void fingerprint_end(struct fingerprint *fingerprint, uint8_t out[SHA256_SIZE]); /* releases it */

#endif
