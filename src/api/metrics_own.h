/* The metrics of this API: what its processes write on the board, and what they use. */
#ifndef API_METRICS_OWN_H
#define API_METRICS_OWN_H

#include "api/request.h"

void metrics_write_own(struct buf *out, struct request *request);

#endif
