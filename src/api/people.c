#include "api/people.h"

#include "api/audit.h"
#include "api/reply.h"
#include "base/clock.h"
#include "domain/person.h"
#include "engine/person_erasure.h"
#include "engine/person_export.h"

enum db_result people_export(struct request *request)
{
	struct json *json = reply_begin(request, 200);

	DB_TRY(person_export(request->db, request->key.organization_id, request->phone_number, request->arena, json,
	                     "data"));
	return reply_end(request);
}

/* The reply does not name the number, because it may be kept under an idempotency key. */
enum db_result people_erase(struct request *request)
{
	char mark[PERSON_MARK];

	DB_TRY(person_erasure_request(request->db, request->key.organization_id, request->phone_number, clock_now_us()));
	person_mark(request->phone_number, mark);
	audit_say_text(request, "person", mark);
	return reply_no_content(request);
}
