/* Calls for dialers that fetch them (engine/fetch.h), with a long poll. */
#ifndef API_DISPATCHES_H
#define API_DISPATCHES_H

#include "api/request.h"

extern const struct field_table fetch_fields;

enum db_result dispatches_claim(struct request *request);

#endif
