#include "store/idempotency_store.h"

#include <assert.h>
#include <string.h>

#include "store/statements.h"

static enum db_result read_kept(struct db *db, const struct db_value *organization, const struct db_value *key,
                                struct arena *arena, struct kept_reply *kept, int64_t *created_at_us)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_IDEMPOTENCY_GET, DB_ARGS(*organization, *key), arena, &rows));
	if (rows.count == 0)
		return DB_CONFLICT; /* dropped this very moment: run again */
	assert(db_get(&rows, 0, 0)->len == SHA256_SIZE);
	memcpy(kept->request_hash, db_get(&rows, 0, 0)->data, SHA256_SIZE);
	kept->request_id = db_get_text(&rows, 0, 1);
	kept->status = (int)db_get_int(&rows, 0, 2);
	kept->body = db_get_text(&rows, 0, 3);
	*created_at_us = db_get_int(&rows, 0, 4);
	return DB_OK;
}

enum db_result idempotency_take(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const uint8_t request_hash[SHA256_SIZE], int64_t now_us, struct arena *arena,
                                struct kept_reply *kept)
{
	struct db_value organization = db_int(organization_id), key = db_bytes(key_hash, SHA256_SIZE),
	                wanted = db_bytes(request_hash, SHA256_SIZE), now = db_instant(now_us);
	int64_t created_at_us;
	enum db_result result = db_exec(db, SQL_IDEMPOTENCY_TAKE, DB_ARGS(organization, key, wanted, now));

	if (result != DB_DUPLICATE)
		return result;
	DB_TRY(read_kept(db, &organization, &key, arena, kept, &created_at_us));
	if (created_at_us > now_us - IDEMPOTENCY_KEPT_US)
		return DB_DUPLICATE;
	return db_exec(db, SQL_IDEMPOTENCY_TAKE_OVER, DB_ARGS(wanted, now, organization, key));
}

enum db_result idempotency_keep(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const struct kept_reply *reply)
{
	return db_exec(db, SQL_IDEMPOTENCY_KEEP, DB_ARGS(
		db_text(reply->request_id), db_int(reply->status), db_text(reply->body), db_int(organization_id), db_bytes(key_hash, SHA256_SIZE)));
}

enum db_result idempotency_find(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                int64_t now_us, struct arena *arena, struct kept_reply *kept)
{
	struct db_value organization = db_int(organization_id), key = db_bytes(key_hash, SHA256_SIZE);
	int64_t created_at_us;
	enum db_result result = read_kept(db, &organization, &key, arena, kept, &created_at_us);

	if (result == DB_CONFLICT || (result == DB_OK && created_at_us <= now_us - IDEMPOTENCY_KEPT_US))
		return DB_NOT_FOUND;
	return result;
}

static enum db_result ask_lock(struct db *db, enum sql_statement statement, int64_t organization_id,
                               const uint8_t key_hash[SHA256_SIZE], bool *answer)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, statement, DB_ARGS(
		db_int(organization_id), db_bytes(key_hash, SHA256_SIZE)), arena, &rows);

	*answer = result == DB_OK && db_get_int(&rows, 0, 0) == 1;
	arena_free(arena);
	return result;
}

enum db_result idempotency_lock(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                bool *taken)
{
	return ask_lock(db, SQL_IDEMPOTENCY_LOCK, organization_id, key_hash, taken);
}

enum db_result idempotency_unlock(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE])
{
	bool was_ours;

	return ask_lock(db, SQL_IDEMPOTENCY_UNLOCK, organization_id, key_hash, &was_ours);
}
