/* GET /overview: what an organisation has in progress, today's figures, and problems. */
#ifndef API_OVERVIEW_H
#define API_OVERVIEW_H

#include "api/request.h"

extern const struct field_table overview_query;

enum db_result overview_show(struct request *request);

#endif
