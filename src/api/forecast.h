/* /batch-calls/{id}/preview: a forecast of a campaign, as it is or after a change. Nothing is written. */
#ifndef API_FORECAST_H
#define API_FORECAST_H

#include "api/request.h"

extern const struct field_table preview_fields;

enum db_result batch_calls_preview(struct request *request);

#endif
