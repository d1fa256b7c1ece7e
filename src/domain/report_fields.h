/* The fields of a dialer's report, as the body of a request or in its answer to call.requested. */
#ifndef DOMAIN_REPORT_FIELDS_H
#define DOMAIN_REPORT_FIELDS_H

#include "base/field.h"
#include "domain/call.h"

extern const struct field_table report_fields; /* struct call_report, without call_id */

/* Returns what Outdial itself concludes about a call: a report of its status and end_reason alone. */
struct call_report report_conclude(const struct uuid *call, enum call_premise premise, enum call_status status,
                                   const char *reason);

struct bulk_report {
	struct field_list reports; /* of struct call_report */
};

/* Rules between the fields of a report. The names of the fields at fault begin with `prefix`. */
void report_judge(const struct call_report *report, const char *prefix, int64_t now_us, struct faults *faults);

#define BULK_REPORT_MAX 1000

extern const struct field_table bulk_report_fields; /* struct bulk_report */

#endif
