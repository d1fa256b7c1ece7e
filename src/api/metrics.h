/* Figures for Prometheus, over all organisations: from the database, so that any worker tells the same. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/request.h"

enum db_result metrics_get(struct request *request);

#endif
