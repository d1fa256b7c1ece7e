/* /batch-calls: campaigns. */
#ifndef API_BATCH_CALLS_H
#define API_BATCH_CALLS_H

#include "api/request.h"
#include "engine/campaign.h"

extern const struct field_table batch_calls_query, batch_call_query;
extern const struct field_table bulk_delete_fields;

/* Makes a campaign_request for the campaign in the path, and the body, which was read with `table`; NULL: there is no
 * body. */
struct campaign_request batch_calls_campaign(const struct request *request, const struct field_table *table);
/* Replies why the rules of the campaign refused it, in the words of the contract. */
enum db_result batch_calls_refuse(struct request *request, const struct campaign_request *campaign,
                                  enum batch_action action);

enum db_result batch_calls_list(struct request *request);
enum db_result batch_calls_create(struct request *request);
enum db_result batch_calls_get(struct request *request);
/* Carries out the action of the route. The reply is the campaign, or why that cannot be done. */
enum db_result batch_calls_act(struct request *request);
enum db_result batch_calls_bulk_delete(struct request *request);

#endif
