/* Replies kept under the keys that clients gave. All inside the transaction of the request's work: the
 * row appears together with what was done, and a second request with the same key waits for it. */
#ifndef STORE_IDEMPOTENCY_STORE_H
#define STORE_IDEMPOTENCY_STORE_H

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"

#define IDEMPOTENCY_KEPT_US (24 * 3600 * US_PER_SECOND)

struct kept_reply {
	struct bytes request_hash; /* of SHA256_SIZE */
	int status;
	const char *request_id, *body; /* in the arena */
	int64_t created_at_us;
};

/* Takes the key for this transaction: DB_OK. DB_DUPLICATE: somebody used it within the last day; *kept
 * tells for what, and with which reply. */
enum db_result idempotency_take(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const uint8_t request_hash[SHA256_SIZE], int64_t now_us, struct arena *arena,
                                struct kept_reply *kept);

/* Keeps the reply (its request_hash and created_at_us do not count) under a key that this transaction took. */
enum db_result idempotency_keep(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const struct kept_reply *reply);

/* Outside of transactions, for work that is more than one of them: DB_OK, somebody used the key within the
 * last day; DB_NOT_FOUND. */
enum db_result idempotency_find(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                int64_t now_us, struct arena *arena, struct kept_reply *kept);

/* The key is this connection's until it is unlocked or the connection ends; *taken false: another's. */
enum db_result idempotency_lock(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                bool *taken);
enum db_result idempotency_unlock(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE]);

#endif
