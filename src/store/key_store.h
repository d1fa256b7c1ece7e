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
	int64_t parent_row; /* of the key of a session: its parent, with which it ends; 0: it is not the key of a session */
	struct uuid uuid, organization_uuid, parent_id;
	const char *name, *organization_name; /* key_find does not read ids and names */
	unsigned scopes;                      /* bit set of enum scope */
	int place;                            /* enum organization_place: of its organisation */
	int64_t expires_at_us, revoked_at_us; /* INSTANT_NEVER: never */
	int64_t last_used_at_us;              /* to within a minute; INSTANT_NONE: not yet */
	int64_t created_at_us;
};

/* Returns DB_NOT_FOUND if no organisation has this name. */
enum db_result organization_find(struct db *db, const char *name, int64_t *id);

/* Returns DB_NOT_FOUND if there is no such key. */
enum db_result key_find(struct db *db, const uint8_t hash[SHA256_SIZE], struct arena *arena, struct key *out);

/* Reads the key with this internal id. DB_NOT_FOUND: it does not exist. */
enum db_result key_get(struct db *db, int64_t id, struct arena *arena, struct key *out);

/* Returns the key to record where the key of a session would be deleted too soon: the key itself, or its parent. */
int64_t key_owner(const struct key *key);

/* Makes room for another session of the key: if it has KEY_SESSIONS_MAX sessions, those that end first are deleted. */
#define KEY_SESSIONS_MAX 1000
enum db_result key_make_room(struct db *db, int64_t parent_row);

/* For an operator, in a transaction of its own, with the audit log. Creates the key, and its organisation if that does
 * not exist. Sets id and organization_id. DB_REFUSED: it is not here. */
enum db_result key_create(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE]);

/* Inserts the key inside a transaction, for an existing organisation: key->organization_id. */
enum db_result key_insert(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE]);

/* Lists the keys of all organisations, or of one (struct key, newest first), without keys of sessions. */
enum db_result key_list(struct db *db, struct arena *arena, const struct key **list, size_t *count);
enum db_result key_list_of(struct db *db, int64_t organization_id, const struct page *page, struct arena *arena,
                           struct listing *out);

/* Revokes a key inside a transaction, even if it is revoked already. organization_id 0: of any organisation.
 * DB_NOT_FOUND: there is no such key. */
enum db_result key_revoke(struct db *db, int64_t organization_id, const struct uuid *uuid, int64_t now_us);

/* The same for an operator, in a transaction of its own, with an entry in the audit log. */
enum db_result key_revoke_any(struct db *db, struct uuid uuid);

/* Records the use of a key, to the minute. */
enum db_result key_note_use(struct db *db, int64_t id, int64_t now_us);

#endif
