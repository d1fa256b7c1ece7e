#include "api/transaction.h"

#include <string.h>

#include "api/fingerprint.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "store/idempotency_store.h"

struct handling {
	struct request *request;
	enum db_result (*handle)(struct request *);
	uint8_t key_hash[SHA256_SIZE], request_hash[SHA256_SIZE];
};

static bool has_key(const struct request *request)
{
	return *request->idempotency_key != '\0';
}

/* The reply of the first request with this key, word for word: its request id too. */
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
		.request_id = request->id, .status = request->reply->status, .body = reply_to_keep(request),
	};

	return idempotency_keep(request->db, request->key.organization_id, handling->key_hash, &reply);
}

/* Somebody used this key before: for the same request, or for another. */
static enum db_result answer_again(const struct handling *handling, const struct kept_reply *kept)
{
	if (memcmp(kept->request_hash.data, handling->request_hash, SHA256_SIZE) == 0)
		return replay(handling->request, kept);
	handling->request->faults.count = 0; /* they are not why */
	return reply_refuse(handling->request, ERROR_IDEMPOTENCY_CONFLICT,
	                    "This idempotency key was used for another request.");
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
	DB_TRY(handling->handle(request));
	return keep(handling);
}

static enum db_result run(struct db *db, void *context)
{
	struct handling *handling = context;

	(void)db; /* the request's own */
	handling->request->faults.count = 0; /* of an earlier run */
	return has_key(handling->request) ? handle_once(handling) : handling->handle(handling->request);
}

/* Whatever is answered is kept, but for what passes by itself. */
static bool is_to_be_kept(const struct request *request, enum db_result result)
{
	return (result == DB_OK || result == DB_REFUSED) && !request->reply->passes;
}

/* A refusal needs no work, or its work was rolled back, and the key too; its reply is kept all the same. And
 * what was streamed took no key. */
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

/* What is not there is refused like the rest, so that this is kept, too. */
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

/* The body's fingerprint stands for it. */
static void hash_streamed_request(struct handling *handling)
{
	struct request *request = handling->request;
	uint8_t body_hash[SHA256_SIZE];

	read_to_end(request);
	fingerprint_end(request->fingerprint, body_hash);
	request->fingerprint = NULL;
	hash_request(request, body_hash, sizeof body_hash, handling->request_hash);
}

/* Under the lock of its key. */
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
