/* API keys and the organisations they belong to. Only the SHA-256 of a key is stored. */
#ifndef STORE_KEY_STORE_H
#define STORE_KEY_STORE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "base/uuid.h"
#include "store/db.h"
#include "store/page.h"

struct key {
	int64_t id, organization_id;
	int64_t parent_row; /* of the key whose session it is, with which it ends; 0: it is no key of a session */
	struct uuid uuid, organization_uuid, parent_id;
	const char *name, *organization_name; /* key_find does not read the ids and names */
	unsigned scopes;                      /* bit set of enum scope */
	int64_t expires_at_us, revoked_at_us; /* INSTANT_NEVER: not at all */
	int64_t last_used_at_us;              /* to within a minute; INSTANT_NONE: not yet */
	int64_t created_at_us;
};

/* DB_NOT_FOUND: no organisation of this name. */
enum db_result organization_find(struct db *db, const char *name, int64_t *id);

/* DB_NOT_FOUND: no such key. */
enum db_result key_find(struct db *db, const uint8_t hash[SHA256_SIZE], struct arena *arena,
                        struct key *out);

/* Reads the key with this internal id. DB_NOT_FOUND: it does not exist. */
enum db_result key_get(struct db *db, int64_t id, struct arena *arena, struct key *out);

/* Whose key it is, for what outlives a session: the key itself, or its parent. */
int64_t key_owner(const struct key *key);

/* Makes room for another session of the key: of KEY_SESSIONS_MAX those that end first go. */
#define KEY_SESSIONS_MAX 1000
enum db_result key_make_room(struct db *db, int64_t parent_row);

/* Creates the organisation when it is not there yet. Sets id and organization_id. */
enum db_result key_create(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE]);

/* The same inside a transaction, for an organisation that is there: key->organization_id. */
enum db_result key_insert(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE]);

/* Those of all organisations, and those of one (newest first; of struct key), without keys of sessions. */
enum db_result key_list(struct db *db, struct arena *arena, const struct key **list, size_t *count);
enum db_result key_list_of(struct db *db, int64_t organization_id, const struct page *page, struct arena *arena,
                           struct listing *out);

/* Also for a key that is revoked already. organization_id 0: of any. DB_NOT_FOUND: no such key. */
enum db_result key_revoke(struct db *db, int64_t organization_id, const struct uuid *uuid, int64_t now_us);

/* Writes nothing if that was known to the minute. */
enum db_result key_note_use(struct db *db, int64_t id, int64_t now_us);

#endif
