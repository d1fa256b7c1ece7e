#include "api/service.h"

#include "api/etag.h"
#include "api/openapi.h"
#include "api/reply.h"
#include "store/schema.h"

enum db_result service_healthz(struct request *request)
{
	struct json *json = reply_begin(request, 200);

	json_begin_object(json, "data");
	json_add_string(json, "status", "ok");
	json_end(json);
	return reply_end(request);
}

enum db_result service_readyz(struct request *request)
{
	struct json *json;
	int64_t version;

	DB_TRY(schema_version(request->db, &version));
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
	etag_finish(request);
	reply_header(request, "Cache-Control", "public, max-age=300");
	return DB_OK;
}
