/* Replies that are kept under idempotency keys. Everything runs inside the transaction of the request's work. So
 * the row appears together with the work, and a second request with the same key waits for it. */
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

/* Takes the key for this transaction. DB_DUPLICATE: a request used it within the last day; *kept has the digest of
 * that request, and its reply. */
enum db_result idempotency_take(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const uint8_t request_hash[SHA256_SIZE], int64_t now_us, struct arena *arena,
                                struct kept_reply *kept);

/* Keeps the reply under a key that this transaction took. Its request_hash and created_at_us are ignored. */
enum db_result idempotency_keep(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                const struct kept_reply *reply);

/* Gives back a key that idempotency_take took in this transaction: a later request may use it. */
enum db_result idempotency_give_back(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE]);

/* Outside of transactions, for work that takes several: DB_OK if a request used the key within the last day, else
 * DB_NOT_FOUND. */
enum db_result idempotency_find(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                int64_t now_us, struct arena *arena, struct kept_reply *kept);

/* The key belongs to this connection until it is unlocked or the connection ends. *taken is false if another connection
 * has it. */
enum db_result idempotency_lock(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE],
                                bool *taken);
enum db_result idempotency_unlock(struct db *db, int64_t organization_id, const uint8_t key_hash[SHA256_SIZE]);

#endif
