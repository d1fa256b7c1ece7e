/* /batch-calls: campaigns and their contacts. */
#ifndef API_BATCH_CALLS_H
#define API_BATCH_CALLS_H

#include "api/request.h"
#include "store/campaign.h"

extern const struct field_table batch_calls_query, batch_call_query;
extern const struct field_table batch_contacts_query;
extern const struct field_table bulk_delete_fields;

/* What a request wants of the campaign that its path names; its body was read by `table`, NULL: it has none. */
struct campaign_request batch_calls_campaign(const struct request *request, const struct field_table *table);
/* Why the campaign's rules did not let it be done, in the words of the contract. */
enum db_result batch_calls_refuse(struct request *request, const struct campaign_request *campaign,
                                  enum batch_action action);

enum db_result batch_calls_list(struct request *request);
enum db_result batch_calls_create(struct request *request);
enum db_result batch_calls_get(struct request *request);
enum db_result batch_calls_change(struct request *request);
enum db_result batch_calls_delete(struct request *request);
enum db_result batch_calls_schedule(struct request *request);
enum db_result batch_calls_pause(struct request *request);
enum db_result batch_calls_resume(struct request *request);
enum db_result batch_calls_cancel(struct request *request);
enum db_result batch_calls_bulk_delete(struct request *request);
enum db_result batch_contacts_page(struct request *request);
enum db_result batch_contacts_append(struct request *request);
enum db_result batch_contacts_get(struct request *request);
enum db_result batch_contacts_remove(struct request *request);
enum db_result batch_contacts_remove_all(struct request *request);

#endif
