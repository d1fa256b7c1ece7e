/* /do-not-call: numbers that are never called. */
#ifndef API_DO_NOT_CALL_H
#define API_DO_NOT_CALL_H

#include "api/request.h"

extern const struct field_table do_not_call_fields;
extern const struct field_table do_not_call_query;

enum db_result do_not_call_page(struct request *request);
enum db_result do_not_call_append(struct request *request);
enum db_result do_not_call_delete(struct request *request);

#endif
