/* Applies reports of dialers and conclusions of the scheduler to calls, many at once. One transaction writes calls,
 * contacts, counters and retries, and wakes the campaigns that wait for this. */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

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

/* Applies reports, in a transaction of its own or of the caller (_in). organization_id 0: any (for the scheduler).
 * results[i] is the result of reports[i]. Several reports on one call are applied in their order. Repeating it is
 * harmless. In a transaction of its own, it waits for a lock only once (DB_CONFLICT, db_waited_for_lock). A report that
 * the server refuses does not delay the others: it is logged and ignored, and no scheduler looks at its call for a
 * minute. */
enum db_result reports_apply(struct db *db, int64_t organization_id, const struct call_report *reports, size_t count,
                             int64_t now_us, enum report_result *results);
/* *woke becomes true when a scheduler has to look at a campaign now. */
enum db_result reports_apply_and_tell(struct db *db, int64_t organization_id, const struct call_report *reports,
                                      size_t count, int64_t now_us, enum report_result *results, bool *woke);
enum db_result reports_apply_in(struct db *db, int64_t organization_id, const struct call_report *reports, size_t count,
                                int64_t now_us, enum report_result *results);

/* Finds the reports that can be written without waiting, because their campaigns are not locked at this moment. */
enum db_result reports_find_free(struct db *db, const struct call_report *reports, size_t count, bool *is_free);

#endif
