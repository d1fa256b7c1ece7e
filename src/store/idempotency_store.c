#include "store/idempotency_store.h"

#include <assert.h>
#include <string.h>

#include "store/columns.h"
#include "store/statements.h"

COLUMNS(kept_reply_columns, struct kept_reply, COLUMN(struct kept_reply, request_hash),
        COLUMN(struct kept_reply, request_id), COLUMN(struct kept_reply, status), COLUMN(struct kept_reply, body),
        INSTANT(struct kept_reply, created_at));

static enum db_result read_kept(struct db *db, const struct db_value *organization, const struct db_value *key,
                                struct arena *arena, struct kept_reply *kept)
{
	return DB_GET(db, SQL_IDEMPOTENCY_GET, DB_ARGS(*organization, *key), arena, struct kept_reply, kept);
}

enum db_result idempotency_take(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const uint8_t request_hash[SHA256_SIZE], int64_t now_us, struct arena *arena,
                                struct kept_reply *kept)
{
	struct db_value organization = db_int(organization_id), key = db_bytes(key_hash, SHA256_SIZE),
					wanted = db_bytes(request_hash, SHA256_SIZE), now = db_instant(now_us);
	enum db_result result = db_exec(db, SQL_IDEMPOTENCY_TAKE, DB_ARGS(organization, key, wanted, now));

	if (result != DB_DUPLICATE)
		return result;
	result = read_kept(db, &organization, &key, arena, kept);
	if (result != DB_OK)
		return result == DB_NOT_FOUND ? DB_CONFLICT : result; /* dropped at this moment: run again */
	if (kept->created_at_us > now_us - IDEMPOTENCY_KEPT_US)
		return DB_DUPLICATE;
	return db_exec(db, SQL_IDEMPOTENCY_TAKE_OVER, DB_ARGS(wanted, now, organization, key));
}

enum db_result idempotency_keep(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const struct kept_reply *reply)
{
	return db_exec(db, SQL_IDEMPOTENCY_KEEP,
	               DB_ARGS(db_text(reply->request_id), db_int(reply->status), db_text(reply->body),
	                       db_int(organization_id), db_bytes(key_hash, SHA256_SIZE)));
}

enum db_result idempotency_give_back(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE])
{
	return db_exec(db, SQL_IDEMPOTENCY_GIVE_BACK, DB_ARGS(db_int(organization_id), db_bytes(key_hash, SHA256_SIZE)));
}

enum db_result idempotency_find(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                int64_t now_us, struct arena *arena, struct kept_reply *kept)
{
	struct db_value organization = db_int(organization_id), key = db_bytes(key_hash, SHA256_SIZE);

	DB_TRY(read_kept(db, &organization, &key, arena, kept));
	return kept->created_at_us > now_us - IDEMPOTENCY_KEPT_US ? DB_OK : DB_NOT_FOUND;
}

static enum db_result ask_lock(struct db *db, enum sql_statement statement, int64_t organization_id,
                               const uint8_t key_hash[SHA256_SIZE], bool *answer)
{
	int64_t number;
	enum db_result result = db_query_int(db, statement,
	                                     DB_ARGS(db_int(organization_id), db_bytes(key_hash, SHA256_SIZE)), &number);

	*answer = number == 1;
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
