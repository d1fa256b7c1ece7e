/* /calls: calls, and the reports of dialers. */
#ifndef API_CALLS_H
#define API_CALLS_H

#include "api/request.h"

extern const struct field_table calls_query;
extern const struct field_table single_call_fields, test_call_fields;

enum db_result calls_list(struct request *request);
enum db_result calls_create(struct request *request);
enum db_result calls_test_agent(struct request *request);
enum db_result calls_cancel(struct request *request);
enum db_result calls_get(struct request *request);
enum db_result calls_report(struct request *request);
enum db_result calls_report_bulk(struct request *request);

#endif
