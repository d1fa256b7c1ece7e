/* Calls for reading. What changes them: scheduler/claim.c and store/report_store.c */
#ifndef STORE_CALL_STORE_H
#define STORE_CALL_STORE_H

#include "domain/call.h"
#include "store/db.h"
#include "store/page.h"

struct call {
	struct uuid id, batch_id, agent_id; /* nil: none, or gone */
	int64_t position, attempt, tries;
	enum call_status status;
	const char *to_number, *from_number;
	int64_t scheduled_at_us, called_at_us, expires_at_us, ended_at_us;
	int64_t duration_seconds, cost_ten_thousandths; /* -1: not reported */
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary;
};

/* DB_NOT_FOUND: no such call in this organisation. */
enum db_result call_get(struct db *db, int64_t organization_id, const struct uuid *id,
                        struct arena *arena, struct call *out);

struct call_filter {
	int status;                     /* -1: any */
	struct uuid agent_id, batch_id; /* nil: any */
	int64_t after_us, before_us;    /* created in [after, before); INSTANT_NONE, INSTANT_NEVER: any */
};
/* Newest first; of struct call. */
enum db_result call_list(struct db *db, int64_t organization_id, const struct call_filter *filter,
                         const struct page *page, struct arena *arena, struct listing *out);

#endif
