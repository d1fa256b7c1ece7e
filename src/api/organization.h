/* /organization: whose key it is, and how often the organisation calls somebody. */
#ifndef API_ORGANIZATION_H
#define API_ORGANIZATION_H

#include "api/request.h"

enum db_result organization_show(struct request *request);
enum db_result organization_change(struct request *request);

#endif
