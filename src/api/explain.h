/* /batch-calls/{id}/contacts/{position}/why */
#ifndef API_EXPLAIN_H
#define API_EXPLAIN_H

#include "api/request.h"

enum db_result batch_calls_why(struct request *request);
enum db_result batch_contacts_why(struct request *request);

#endif
