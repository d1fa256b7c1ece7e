/* Who changed what, and when. */
#ifndef API_AUDIT_H
#define API_AUDIT_H

#include "api/request.h"

enum db_result batch_calls_history(struct request *request);

#endif
