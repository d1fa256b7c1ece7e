/* /webhooks: the addresses to which webhooks are sent. */
#ifndef API_WEBHOOKS_H
#define API_WEBHOOKS_H

#include "api/request.h"
#include "base/json.h"

extern const struct field_table webhook_fields;
extern const struct field_table rotate_secret_fields;

/* `item`: a struct webhook. */
void webhook_write(struct json *json, const void *item);

enum db_result webhooks_list(struct request *request);
enum db_result webhooks_create(struct request *request); /* this reply and that of rotate_secret show the secret */
enum db_result webhooks_get(struct request *request);
enum db_result webhooks_change(struct request *request);
enum db_result webhooks_rotate_secret(struct request *request);
enum db_result webhooks_delete(struct request *request); /* not while an agent uses it */

#endif
