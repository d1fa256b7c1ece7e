/* /batch-calls: campaigns and their contacts. */
#ifndef API_BATCH_CALLS_H
#define API_BATCH_CALLS_H

#include "api/request.h"

extern const struct field_table batch_calls_query;
extern const struct field_table batch_contacts_query;
extern const struct field_table bulk_delete_fields;

enum db_result batch_calls_list(struct request *request);
enum db_result batch_calls_create(struct request *request);
enum db_result batch_calls_get(struct request *request);
enum db_result batch_calls_change(struct request *request);
enum db_result batch_calls_delete(struct request *request);
enum db_result batch_calls_schedule(struct request *request);
enum db_result batch_calls_pause(struct request *request);
enum db_result batch_calls_resume(struct request *request);
enum db_result batch_calls_cancel(struct request *request);
enum db_result batch_calls_preview(struct request *request);
enum db_result batch_calls_bulk_delete(struct request *request);
enum db_result batch_contacts_page(struct request *request);
enum db_result batch_contacts_append(struct request *request);
enum db_result batch_contacts_get(struct request *request);

#endif
