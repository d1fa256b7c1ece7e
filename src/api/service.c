#include "api/service.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "api/etag.h"
#include "api/openapi.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/schema.h"

enum db_result service_healthz(struct request *request)
{
	struct json *json = reply_begin(request, 200);

	json_begin_object(json, "data");
	json_add_string(json, "status", "ok");
	json_end(json);
	return reply_end(request);
}

#define ASK_EVERY_US US_PER_SECOND
#define NO_ANSWER INT64_C(-1)
#define NOT_ASKED INT64_C(-2)

/* What the database said last, for all workers. It is asked once a second, however many requests for /readyz there are. */
static struct readiness {
	_Atomic int64_t version; /* of the schema, or one of the two above */
	_Atomic int64_t ask_again_mono_us;
} *readiness;

void service_prepare(void)
{
	readiness = mmap(NULL, sizeof *readiness, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (readiness == MAP_FAILED)
		fatal("out of memory");
	atomic_store(&readiness->version, NOT_ASKED);
}

/* Whether it is this worker's turn to ask. */
static bool take_turn(void)
{
	int64_t now_us = clock_mono_us(), again_us = atomic_load(&readiness->ask_again_mono_us);

	return now_us >= again_us &&
	       atomic_compare_exchange_strong(&readiness->ask_again_mono_us, &again_us, now_us + ASK_EVERY_US);
}

static enum db_result find_version(struct request *request, int64_t *version)
{
	bool is_turn = take_turn();
	enum db_result result;

	*version = atomic_load(&readiness->version);
	if (!is_turn && *version != NOT_ASKED)
		return *version == NO_ANSWER ? DB_LOST : DB_OK;
	result = schema_version(request->db, version);
	atomic_store(&readiness->version, result == DB_OK ? *version : NO_ANSWER);
	return result;
}

enum db_result service_readyz(struct request *request)
{
	struct json *json;
	int64_t version;

	DB_TRY(find_version(request, &version));
	if (version != SCHEMA_VERSION) {
		reply_refuse(request, ERROR_UNAVAILABLE, "The database has schema version %d, wanted is %d.",
		             (int)version, SCHEMA_VERSION);
		reply_header(request, "Retry-After", "5");
		return DB_REFUSED;
	}
	json = reply_begin(request, 200);
	json_begin_object(json, "data");
	json_add_string(json, "status", "ready");
	json_int(json, "schema_version", version);
	json_end(json);
	return reply_end(request);
}

/* It changes when the program does, and is asked for by whoever looks into a new version: five minutes. */
enum db_result service_openapi(struct request *request)
{
	reply_text(request, openapi_document, openapi_document_len);
	etag_finish(request, NULL);
	request->reply->caching = "public, max-age=300";
	return DB_OK;
}
