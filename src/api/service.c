#include "api/service.h"

#include "api/board.h"
#include "api/etag.h"
#include "api/openapi.h"
#include "api/replica.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/outage.h"
#include "store/schema.h"

enum db_result service_healthz(struct request *request)
{
	struct json *json = reply_begin_object(request, 200);

	json_add_string(json, "status", "ok");
	return reply_end_object(request);
}

#define PROBE_FRESH_US (12 * US_PER_SECOND) /* a probe of a database that hangs takes long */

static enum db_result refuse_readiness(struct request *request, const char *message)
{
	reply_refuse(request, ERROR_UNAVAILABLE, "%s", message);
	reply_header(request, "Retry-After", "1");
	return DB_REFUSED;
}

static enum db_result refuse_version(struct request *request, int64_t version)
{
	reply_refuse(request, ERROR_UNAVAILABLE, "The database has schema version %d, wanted is %d.", (int)version,
	             SCHEMA_VERSION);
	reply_header(request, "Retry-After", "5");
	return DB_REFUSED;
}

static void write_readiness(struct json *json)
{
	json_begin_object(json, "data");
	json_add_string(json, "status", "ready");
	json_int(json, "schema_version", SCHEMA_VERSION);
	json_int(json, "schedulers", atomic_load(&board->schedulers));
	json_int(json, "oldest_due_seconds", atomic_load(&board->waits_us) / US_PER_SECOND);
	json_bool(json, "replica", replica_lag_us() >= 0);
	json_end(json);
}

/* All facts come from the board, so that this neither loads the database nor waits. */
enum db_result service_readyz(struct request *request)
{
	int64_t probed_at_us = atomic_load(&board->probed_at_us), version = atomic_load(&board->schema_version);

	if (outage_is_on() || probed_at_us == 0 || clock_mono_us() - probed_at_us > PROBE_FRESH_US)
		return refuse_readiness(request, "The database does not answer: try again in a moment.");
	if (version < SCHEMA_VERSION) /* a newer one: an update is under way, and the program works with it */
		return refuse_version(request, version);
	if (!atomic_load(&board->writable))
		return refuse_readiness(request, "No host of the database takes writes.");
	write_readiness(reply_begin(request, 200));
	return reply_end(request);
}

/* It changes only with the program, and a client that looks for a new version asks again: five minutes. */
enum db_result service_openapi(struct request *request)
{
	reply_text(request, openapi_document, openapi_document_len);
	etag_finish(request, NULL);
	request->reply->caching = "public, max-age=300";
	return DB_OK;
}
