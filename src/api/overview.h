/* GET /overview: what an organisation has under way, today's figures, and what needs somebody. */
#ifndef API_OVERVIEW_H
#define API_OVERVIEW_H

#include "api/request.h"

extern const struct field_table overview_query;

enum db_result overview_show(struct request *request);

#endif
