/* GET /batch-calls/{id}/results.csv: every contact of a campaign with what became of it. */
#ifndef API_RESULTS_H
#define API_RESULTS_H

#include "api/request.h"

enum db_result batch_results(struct request *request);

#endif
