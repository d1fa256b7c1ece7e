/* The operator's keys (secret_key_file): they seal stored secrets, and other keys are derived from them. The first key
 * of the file seals and makes MACs. All keys open and check, so keys can be replaced while Outdial runs. A process
 * loads them once at its start, before it forks. */
#ifndef BASE_VAULT_H
#define BASE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/uuid.h"

#define VAULT_KEYS_MAX 8
#define VAULT_ID_SIZE 4 /* the id of a key: it reveals nothing of the key */
#define VAULT_OVERHEAD (VAULT_ID_SIZE + CRYPTO_NONCE_SIZE + CRYPTO_TAG_SIZE) /* sealed bytes are never shorter */

/* Reads one key per line, 32 bytes as base64 or hex. Empty lines and lines that begin with # are skipped. Any fault
 * ends the process. Loading again replaces the keys. */
void vault_load(const char *path);

const uint8_t *vault_key_id(void);                   /* of the key that seals */
bool vault_has_key(const uint8_t id[VAULT_ID_SIZE]); /* whether this key is loaded */

/* Appends key id, nonce, ciphertext and tag. The sealed bytes belong to `owner`: they do not open for another owner. */
void vault_seal(struct buf *out, const struct uuid *owner, const void *data, size_t len);

/* Opens sealed bytes into `out`, which has room for len - VAULT_OVERHEAD bytes. Returns false if they were changed,
 * belong to another owner, or were sealed with a key that is not loaded. */
bool vault_open(const struct uuid *owner, const void *sealed, size_t len, uint8_t *out);

/* MACs with different purposes are independent of each other. */
void vault_mac(const char *purpose, const void *data, size_t len, uint8_t out[SHA256_SIZE]);
bool vault_mac_fits(const char *purpose, const void *data, size_t len, const void *mac, size_t mac_len);

#endif
