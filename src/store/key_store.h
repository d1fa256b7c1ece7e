/* API keys and the organisations they belong to. Only the SHA-256 of a key is stored. */
#ifndef STORE_KEY_STORE_H
#define STORE_KEY_STORE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/uuid.h"
#include "store/db.h"

struct key {
	int64_t id, organization_id;
	struct uuid uuid;
	const char *name, *organization_name; /* not from key_find */
	unsigned scopes;                      /* bit set of enum scope */
	int64_t expires_at_us, revoked_at_us; /* INSTANT_NEVER: not at all */
	int64_t created_at_us;
};

/* DB_NOT_FOUND: no such key. */
enum db_result key_find(struct db *db, const uint8_t hash[SHA256_SIZE], struct arena *arena,
                        struct key *out);

/* Creates the organisation when it is not there yet. Sets id and organization_id. */
enum db_result key_create(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE]);

enum db_result key_list(struct db *db, struct arena *arena, const struct key **list, size_t *count);

/* Also for a key that is revoked already. DB_NOT_FOUND: no such key. */
enum db_result key_revoke(struct db *db, const struct uuid *uuid, int64_t now_us);

#endif
