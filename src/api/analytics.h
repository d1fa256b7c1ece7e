/* GET /batch-calls/{id}/analytics: sums over the calls of a campaign. */
#ifndef API_ANALYTICS_H
#define API_ANALYTICS_H

#include "api/request.h"

extern const struct field_table analytics_query;

enum db_result batch_analytics(struct request *request);

#endif
