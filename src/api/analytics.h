/* GET /batch-calls/{id}/analytics: what the calls of a campaign add up to. */
#ifndef API_ANALYTICS_H
#define API_ANALYTICS_H

#include "api/request.h"

extern const struct field_table analytics_query;

enum db_result batch_analytics(struct request *request);

#endif
