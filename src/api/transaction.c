#include "api/transaction.h"

#include <string.h>

#include "api/reply.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "store/idempotency_store.h"

#define KEY_LEN_MAX 255

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
		.request_id = request->id, .status = request->reply->status, .body = buf_text(&request->reply->body),
	};

	return idempotency_keep(request->db, request->key.organization_id, handling->key_hash, &reply);
}

static enum db_result handle_once(struct handling *handling)
{
	struct request *request = handling->request;
	struct kept_reply kept;
	enum db_result result = idempotency_take(request->db, request->key.organization_id, handling->key_hash,
	                                         handling->request_hash, clock_now_us(), request->arena, &kept);

	if (result == DB_DUPLICATE) {
		if (memcmp(kept.request_hash, handling->request_hash, SHA256_SIZE) == 0)
			return replay(request, &kept);
		return reply_refuse(request, ERROR_IDEMPOTENCY_CONFLICT,
		                    "This idempotency key was used for another request.");
	}
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

/* What was refused was rolled back, the key too; its reply is kept all the same. */
static enum db_result keep_refusal(struct db *db, void *context)
{
	const struct handling *handling = context;
	const struct request *request = handling->request;
	struct kept_reply kept;

	DB_TRY(idempotency_take(db, request->key.organization_id, handling->key_hash, handling->request_hash,
	                        clock_now_us(), request->arena, &kept));
	return keep(handling);
}

static void hash_request(const struct request *request, uint8_t out[SHA256_SIZE])
{
	struct buf text = { 0 };

	buf_printf(&text, "%s %s?%s\n", method_names[request->method], request->path, request->query_string);
	buf_add(&text, request->body, request->body_len);
	crypto_sha256(text.data, text.len, out);
	buf_free(&text);
}

enum db_result transaction_handle(struct request *request, enum db_result (*handle)(struct request *))
{
	struct handling handling = { .request = request, .handle = handle };
	bool repeatable = has_key(request) || request->method == METHOD_PATCH;
	enum db_result result;

	if (strlen(request->idempotency_key) > KEY_LEN_MAX)
		return reply_refuse(request, ERROR_BAD_REQUEST, "An idempotency key has at most %d characters.",
		                    KEY_LEN_MAX);
	if (has_key(request)) {
		crypto_sha256(request->idempotency_key, strlen(request->idempotency_key), handling.key_hash);
		hash_request(request, handling.request_hash);
	}
	result = db_transact(request->db, repeatable ? DB_REPEATABLE : DB_ONCE, run, &handling);
	if (result == DB_REFUSED && has_key(request) && request->reply->status != 409)
		db_transact(request->db, DB_REPEATABLE, keep_refusal, &handling);
	return result;
}
