/* GET /batch-calls/{id}/results.csv: every contact of a campaign with its result; and links at which a browser gets
 * the same file without a key. */
#ifndef API_RESULTS_H
#define API_RESULTS_H

#include "api/request.h"

extern const struct field_table results_query, results_link_fields, results_link_query;

enum db_result batch_results(struct request *request);
enum db_result batch_results_link(struct request *request);
enum db_result results_by_link(struct request *request);

#endif
