#include "store/key_store.h"

#include "base/clock.h"
#include "base/instant.h"
#include "store/audit_store.h"
#include "store/columns.h"
#include "store/organization_store.h"
#include "store/statements.h"

COLUMNS(key_found_columns, struct key, COLUMN(struct key, id), COLUMN(struct key, organization_id),
        COLUMN(struct key, scopes), INSTANT(struct key, expires_at), INSTANT(struct key, revoked_at),
        COLUMN(struct key, parent_row), COLUMN(struct key, place));

COLUMNS(key_columns, struct key, COLUMN(struct key, id), COLUMN(struct key, uuid),
        COLUMN(struct key, organization_name), COLUMN(struct key, name), COLUMN(struct key, scopes),
        INSTANT(struct key, expires_at), INSTANT(struct key, revoked_at), INSTANT(struct key, last_used_at),
        INSTANT(struct key, created_at), COLUMN(struct key, organization_id), COLUMN(struct key, organization_uuid),
        COLUMN(struct key, parent_id), COLUMN(struct key, parent_row));

enum db_result key_find(struct db *db, const uint8_t hash[SHA256_SIZE], struct arena *arena, struct key *out)
{
	return DB_GET(db, SQL_KEY_FIND, DB_ARGS(db_bytes(hash, SHA256_SIZE)), arena, struct key, out);
}

struct creation {
	struct key *key;
	const uint8_t *hash;
};

enum db_result organization_find(struct db *db, const char *name, int64_t *id)
{
	return db_query_int(db, SQL_ORGANIZATION_FIND, DB_ARGS(db_text(name)), id);
}

static void note_key(struct db *db, const char *what, const struct uuid *uuid)
{
	char id[UUID_TEXT];

	uuid_format(uuid, id);
	db_note(db, "an API key is %s key=%s", what, id);
}

enum db_result key_insert(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE])
{
	DB_TRY(db_exec(db, SQL_KEY_CREATE,
	               DB_ARGS(db_uuid(&key->uuid), db_int(key->organization_id), db_int(key->parent_row),
	                       db_text(key->name), db_bytes(hash, SHA256_SIZE), db_int(key->scopes),
	                       db_instant(key->expires_at_us), db_instant(key->created_at_us))));
	key->id = db_insert_id(db);
	key->revoked_at_us = INSTANT_NEVER;
	key->last_used_at_us = INSTANT_NONE;
	note_key(db, "made", &key->uuid);
	return DB_OK;
}

int64_t key_owner(const struct key *key)
{
	return key->parent_row != 0 ? key->parent_row : key->id;
}

enum db_result key_make_room(struct db *db, int64_t parent_row)
{
	int64_t sessions;

	DB_TRY(db_query_int(db, SQL_KEY_COUNT_SESSIONS, DB_ARGS(db_int(parent_row)), &sessions));
	if (sessions < KEY_SESSIONS_MAX)
		return DB_OK;
	return db_exec(db, SQL_KEY_END_SESSIONS, DB_ARGS(db_int(parent_row), db_int(sessions - KEY_SESSIONS_MAX + 1)));
}

/* A request's entry is written by its route. */
static enum db_result note_operator(struct db *db, int64_t organization_id, const struct uuid *uuid,
                                    enum audit_action action)
{
	const struct audit_entry entry = {
		.organization_id = organization_id,
		.object = AUDIT_KEY,
		.action = (int)action,
		.object_id = *uuid,
		.from_status = -1,
		.to_status = -1,
		.happened_at_us = clock_now_us(),
		.reason = "",
		.changes = "",
	};

	return audit_write(db, &entry);
}

static enum db_result insert_with_organization(struct db *db, void *context)
{
	const struct creation *creation = context;
	struct key *key = creation->key;
	struct uuid organization = uuid_new();

	DB_TRY(db_exec(db, SQL_ORGANIZATION_ENSURE,
	               DB_ARGS(db_uuid(&organization), db_text(key->organization_name), db_instant(key->created_at_us))));
	DB_TRY(organization_find(db, key->organization_name, &key->organization_id));
	DB_TRY(organization_enter(db, key->organization_id));
	DB_TRY(key_insert(db, key, creation->hash));
	return note_operator(db, key->organization_id, &key->uuid, AUDIT_CREATED);
}

enum db_result key_create(struct db *db, struct key *key, const uint8_t hash[SHA256_SIZE])
{
	return db_transact(db, DB_ONCE, insert_with_organization, &(struct creation){ key, hash });
}

enum db_result key_get(struct db *db, int64_t id, struct arena *arena, struct key *out)
{
	return DB_GET(db, SQL_KEY_GET, DB_ARGS(db_int(id)), arena, struct key, out);
}

enum db_result key_list(struct db *db, struct arena *arena, const struct key **list, size_t *count)
{
	return DB_LIST(db, SQL_KEY_LIST, DB_NO_ARGS, arena, struct key, list, count);
}

enum db_result key_list_of(struct db *db, int64_t organization_id, const struct page *page, struct arena *arena,
                           struct listing *out)
{
	struct db_value organization = db_int(organization_id);

	DB_TRY(page_query(db, SQL_KEY_LIST_OF, DB_ARGS(organization, page_below(page), page_rows(page), page_offset(page)),
	                  page, arena, out));
	return page_count(db, SQL_KEY_COUNT_OF, DB_ARGS(organization), arena, out);
}

enum db_result key_revoke(struct db *db, int64_t organization_id, const struct uuid *uuid, int64_t now_us)
{
	struct db_value organization = db_int(organization_id);

	DB_TRY(db_exec(db, SQL_KEY_REVOKE, DB_ARGS(db_instant(now_us), db_uuid(uuid), organization, organization)));
	if (db_affected(db) == 0)
		return DB_NOT_FOUND;
	note_key(db, "revoked", uuid);
	return DB_OK;
}

static enum db_result revoke_any(struct db *db, void *context)
{
	const struct uuid *uuid = context;
	int64_t organization_id;

	DB_TRY(db_query_int(db, SQL_KEY_ORGANIZATION, DB_ARGS(db_uuid(uuid)), &organization_id));
	DB_TRY(organization_enter(db, organization_id));
	DB_TRY(key_revoke(db, 0, uuid, clock_now_us()));
	return note_operator(db, organization_id, uuid, AUDIT_REVOKED);
}

enum db_result key_revoke_any(struct db *db, struct uuid uuid)
{
	return db_transact(db, DB_REPEATABLE, revoke_any, &uuid);
}

enum db_result key_note_use(struct db *db, int64_t id, int64_t now_us)
{
	return db_exec(db, SQL_KEY_USED, DB_ARGS(db_instant(now_us), db_int(id), db_instant(now_us - US_PER_MINUTE)));
}
