/* What a body that is streamed says, as a hash, by which a request that comes again is known. Of a form that is its parts:
 * their boundary is another each time. */
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
