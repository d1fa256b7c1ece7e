/* For load balancers and for the operator: is the API alive, and can it work? And the description of the API. */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "api/request.h"

enum db_result service_healthz(struct request *request); /* a worker answers */
enum db_result service_readyz(struct request *request);  /* and the database takes writes, with the right schema */
enum db_result service_openapi(struct request *request); /* the description of the API */

#endif
