/* /keys: API keys of the organisation. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/request.h"

extern const struct field_table key_fields, session_fields;

enum db_result keys_list(struct request *request);
enum db_result keys_create(struct request *request);
enum db_result keys_revoke(struct request *request);
/* A key for a limited time. It ends with the key of this request. */
enum db_result keys_create_session(struct request *request);
/* The key of this request. */
enum db_result keys_get_current(struct request *request);
enum db_result keys_revoke_current(struct request *request);

#endif
