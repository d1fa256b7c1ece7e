#include "api/transaction.h"

#include <string.h>

#include "api/audit.h"
#include "api/auth.h"
#include "api/fingerprint.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "store/idempotency_store.h"
#include "store/ledger_store.h"
#include "store/organization_store.h"

struct handling {
	struct request *request;
	enum db_result (*handle)(struct request *);
	uint8_t key_hash[SHA256_SIZE], request_hash[SHA256_SIZE];
};

static bool has_key(const struct request *request)
{
	return *request->idempotency_key != '\0';
}

/* Replies with the kept reply of the first request with this key, including its request id. */
static enum db_result replay(struct request *request, const struct kept_reply *kept)
{
	request->id = kept->request_id;
	reply_kept(request, kept->status, kept->body);
	reply_header(request, "Idempotency-Replayed", "true");
	return DB_OK;
}

static enum db_result keep(const struct handling *handling)
{
	const struct request *request = handling->request;
	struct kept_reply reply = {
		.request_id = request->id,
		.status = request->reply->status,
		.body = reply_to_keep(request),
	};

	return idempotency_keep(request->db, request->key.organization_id, handling->key_hash, &reply);
}

/* The key was used before: for the same request, or for another one. */
static enum db_result answer_again(const struct handling *handling, const struct kept_reply *kept)
{
	if (memcmp(kept->request_hash.data, handling->request_hash, SHA256_SIZE) == 0)
		return replay(handling->request, kept);
	handling->request->faults.count = 0; /* the faults are not the reason */
	return reply_refuse(handling->request, ERROR_IDEMPOTENCY_CONFLICT,
	                    "This idempotency key was used for another request.");
}

/* Writes the change, and its actor. */
static enum db_result change(const struct handling *handling)
{
	struct request *request = handling->request;

	request->changed_id = (struct uuid){ { 0 } };
	request->changes = NULL;
	DB_TRY(handling->handle(request));
	return audit_finish(request);
}

static enum db_result handle_once(struct handling *handling)
{
	struct request *request = handling->request;
	struct kept_reply kept;
	enum db_result result = idempotency_take(request->db, request->key.organization_id, handling->key_hash,
	                                         handling->request_hash, clock_now_us(), request->arena, &kept);

	if (result == DB_DUPLICATE)
		return answer_again(handling, &kept);
	if (result != DB_OK)
		return result;
	DB_TRY(change(handling));
	if (request->reply->passes)
		return idempotency_give_back(request->db, request->key.organization_id, handling->key_hash);
	return keep(handling);
}

static enum db_result run(struct db *db, void *context)
{
	struct handling *handling = context;
	enum db_result result = organization_enter(db, handling->request->key.organization_id);

	reply_drop(handling->request); /* of an earlier run */
	handling->request->refused = NULL;
	if (result != DB_OK)
		return result == DB_REFUSED ? auth_refuse_away(handling->request) : result;
	return has_key(handling->request) ? handle_once(handling) : change(handling);
}

/* Every reply is kept, except errors that pass. */
static bool is_to_be_kept(const struct request *request, enum db_result result)
{
	return (result == DB_OK || result == DB_REFUSED) && !request->reply->passes;
}

/* A refusal did no work, or its work was rolled back together with the key. Its reply is kept all the same. A streamed
 * request has not taken the key yet. */
static enum db_result keep_reply(struct db *db, void *context)
{
	const struct handling *handling = context;
	const struct request *request = handling->request;
	struct kept_reply kept;
	enum db_result result = idempotency_take(db, request->key.organization_id, handling->key_hash,
	                                         handling->request_hash, clock_now_us(), request->arena, &kept);

	if (result == DB_DUPLICATE)
		return answer_again(handling, &kept);
	if (result != DB_OK)
		return result;
	return keep(handling);
}

/* A missing object is refused like anything else, so that this reply is kept too. */
static enum db_result refuse_missing(struct request *request, enum db_result result)
{
	if (result != DB_NOT_FOUND)
		return result;
	reply_db(request, result);
	return DB_REFUSED;
}

static void hash_request(const struct request *request, const void *body, size_t len, uint8_t out[SHA256_SIZE])
{
	const char *head = arena_printf(request->arena, "%s %s?%s\n", method_names[request->method], request->path,
	                                request->query_string);
	struct crypto_hash *hash = crypto_hash_new();

	crypto_hash_add(hash, head, strlen(head));
	crypto_hash_add(hash, body, len);
	crypto_hash_end(hash, out);
}

static void hash_key(struct handling *handling)
{
	const char *key = handling->request->idempotency_key;

	crypto_sha256(key, strlen(key), handling->key_hash);
}

static enum db_result write_refused(struct db *db, void *context)
{
	const struct request *request = context;

	DB_TRY(organization_enter(db, request->key.organization_id));
	return ledger_write(db, request->refused);
}

enum db_result transaction_handle(struct request *request, enum db_result (*handle)(struct request *))
{
	struct handling handling = { .request = request, .handle = handle };
	bool repeatable = has_key(request) || request->method == METHOD_PATCH;
	enum db_result result;

	hash_key(&handling);
	if (has_key(request))
		hash_request(request, request->body, request->body_len, handling.request_hash);
	result = db_transact(request->db, repeatable ? DB_REPEATABLE : DB_ONCE, run, &handling);
	result = refuse_missing(request, result);
	if (result == DB_REFUSED && request->refused != NULL)
		DB_TRY(db_transact(request->db, DB_REPEATABLE, write_refused, request));
	if (has_key(request) && result != DB_OK && is_to_be_kept(request, result))
		db_transact(request->db, DB_REPEATABLE, keep_reply, &handling);
	return result;
}

enum db_result transaction_refused(struct request *request)
{
	struct handling handling = { .request = request };

	if (!has_key(request))
		return DB_REFUSED;
	hash_key(&handling);
	hash_request(request, request->body, request->body_len, handling.request_hash);
	db_transact(request->db, DB_REPEATABLE, keep_reply, &handling);
	return DB_REFUSED;
}

static void read_to_end(struct request *request)
{
	char bytes[REQUEST_CHUNK];

	while (request_stream(request, bytes) > 0)
		continue;
}

/* The fingerprint of the body is hashed in place of the body. */
static void hash_streamed_request(struct handling *handling)
{
	struct request *request = handling->request;
	uint8_t body_hash[SHA256_SIZE];

	read_to_end(request);
	fingerprint_end(request->fingerprint, body_hash);
	request->fingerprint = NULL;
	hash_request(request, body_hash, sizeof body_hash, handling->request_hash);
}

/* Runs under the lock of the key. */
static enum db_result stream_once(struct handling *handling)
{
	struct request *request = handling->request;
	struct kept_reply kept;
	enum db_result result = idempotency_find(request->db, request->key.organization_id, handling->key_hash,
	                                         clock_now_us(), request->arena, &kept);

	request->fingerprint = fingerprint_new(request->content_type);
	if (result == DB_OK) {
		hash_streamed_request(handling);
		return answer_again(handling, &kept);
	}
	if (result == DB_NOT_FOUND)
		result = refuse_missing(request, handling->handle(request));
	hash_streamed_request(handling);
	if (is_to_be_kept(request, result))
		db_transact(request->db, DB_REPEATABLE, keep_reply, handling);
	return result;
}

static enum db_result stream_with_key(struct handling *handling)
{
	struct request *request = handling->request;
	enum db_result result;
	bool taken;

	hash_key(handling);
	DB_TRY(idempotency_lock(request->db, request->key.organization_id, handling->key_hash, &taken));
	if (!taken)
		return reply_refuse(request, ERROR_IDEMPOTENCY_CONFLICT,
		                    "A request with this idempotency key is being handled.");
	result = stream_once(handling);
	idempotency_unlock(request->db, request->key.organization_id, handling->key_hash);
	return result;
}

enum db_result transaction_stream(struct request *request, enum db_result (*handle)(struct request *))
{
	struct handling handling = { .request = request, .handle = handle };
	enum db_result result = has_key(request) ? stream_with_key(&handling) : handle(request);

	read_to_end(request);
	return result;
}
