/* /telephony/numbers: the numbers from which calls are made. Their providers, and the providers' credentials, concern
 * only the dialer: no field takes a credential. */
#ifndef API_NUMBERS_H
#define API_NUMBERS_H

#include "api/request.h"

extern const struct field_table numbers_query, number_analytics_query;
extern const struct field_table number_fields, assign_fields, unassign_fields;

struct json;

/* Writes how the calls from a number ended, as members of the open object. `counts`: the number of calls by enum
 * call_status. Returns the number of all calls, including the calls in flight. */
int64_t numbers_write_tally(struct json *json, const int64_t counts[]);

enum db_result numbers_list(struct request *request);
enum db_result numbers_import(struct request *request);
enum db_result numbers_assign(struct request *request);
enum db_result numbers_unassign(struct request *request);
enum db_result numbers_get(struct request *request);
enum db_result numbers_analytics(struct request *request);
enum db_result numbers_change(struct request *request);
enum db_result numbers_delete(struct request *request);

#endif
