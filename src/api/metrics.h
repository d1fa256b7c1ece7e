/* Metrics for Prometheus, over all organisations: figures of the whole installation from the database, which every
 * API reports alike, and figures of this API (metrics_own.h). */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/request.h"

enum db_result metrics_get(struct request *request);

#endif
