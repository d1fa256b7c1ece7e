/* What becomes of calls: reports of dialers and conclusions of the scheduler, many at once. One
 * transaction moves call, contact, counters and retry, and wakes the campaigns that wait for it. */
#ifndef STORE_REPORT_STORE_H
#define STORE_REPORT_STORE_H

#include "domain/call.h"
#include "store/db.h"

enum report_result {
	REPORT_ACCEPTED,
	REPORT_IGNORED,   /* too late, out of order, or said before */
	REPORT_NOT_FOUND, /* no such call in this organisation */
	REPORT_RESULT__MAX
};

extern const char *const report_result_names[REPORT_RESULT__MAX];

#define REPORTS_MAX 1000

/* In a transaction of its own, or of the caller (_in). organization_id 0: any (the scheduler's own). results[i] tells of
 * reports[i]; several reports of one call apply in their order. Repeating it is harmless.
 * In a transaction of its own a report that the server refuses does not hold up the others: it is logged and
 * ignored, and no scheduler looks at its call for a minute. */
enum db_result reports_apply(struct db *db, int64_t organization_id, const struct call_report *reports,
                             size_t count, int64_t now_us, enum report_result *results);
enum db_result reports_apply_in(struct db *db, int64_t organization_id, const struct call_report *reports,
                                size_t count, int64_t now_us, enum report_result *results);

#endif
