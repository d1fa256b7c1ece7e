/* The operator's keys (secret_key_file): what is stored sealed under them, and what is derived from them.
 * The first key of the file seals and makes MACs, all of them open and check; so keys can be replaced
 * while everything runs. Loaded once at the start of a process, before it forks. */
#ifndef BASE_VAULT_H
#define BASE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/uuid.h"

#define VAULT_KEYS_MAX 8
#define VAULT_ID_SIZE 4 /* what a key is called: it tells nothing of the key */
#define VAULT_OVERHEAD (VAULT_ID_SIZE + CRYPTO_NONCE_SIZE + CRYPTO_TAG_SIZE) /* nothing sealed is shorter */

/* One key a line, 32 bytes as base64 or hex; empty lines and those that begin with # do not count.
 * Any fault ends the process. Loading again replaces what was loaded before. */
void vault_load(const char *path);

const uint8_t *vault_key_id(void);                       /* of the key that seals */
bool vault_has_key(const uint8_t id[VAULT_ID_SIZE]);     /* whether it can be opened */

/* Appends: key id, nonce, ciphertext, tag. What is sealed belongs to `owner`: under another it does not open. */
void vault_seal(struct buf *out, const struct uuid *owner, const void *data, size_t len);

/* `out` has room for len - VAULT_OVERHEAD bytes. False: changed, somebody else's, or under a key that is not here. */
bool vault_open(const struct uuid *owner, const void *sealed, size_t len, uint8_t *out);

/* MACs with different purposes have nothing to do with each other. */
void vault_mac(const char *purpose, const void *data, size_t len, uint8_t out[SHA256_SIZE]);
bool vault_mac_fits(const char *purpose, const void *data, size_t len, const void *mac, size_t mac_len);

#endif
