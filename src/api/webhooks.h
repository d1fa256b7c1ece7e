/* /webhooks: the addresses that webhooks go to. */
#ifndef API_WEBHOOKS_H
#define API_WEBHOOKS_H

#include "api/request.h"

extern const struct field_table webhook_fields;

enum db_result webhooks_list(struct request *request);
enum db_result webhooks_create(struct request *request); /* the only reply with the secret */
enum db_result webhooks_get(struct request *request);
enum db_result webhooks_change(struct request *request);
enum db_result webhooks_delete(struct request *request); /* not while an agent's calls are placed there */

#endif
