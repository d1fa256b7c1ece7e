/* /organization: the organisation of the key, and its contact limits. */
#ifndef API_ORGANIZATION_H
#define API_ORGANIZATION_H

#include "api/request.h"

enum db_result organization_show(struct request *request);
enum db_result organization_change(struct request *request);

#endif
