/* Handlers for the deliveries to webhooks: lists them, shows their tries, sends a test, and sends events again. */
#ifndef API_DELIVERIES_H
#define API_DELIVERIES_H

#include "api/request.h"

extern const struct field_table deliveries_query, redeliver_fields;

enum db_result webhooks_test(struct request *request);
enum db_result deliveries_list(struct request *request);
enum db_result deliveries_list_all(struct request *request); /* the deliveries of all webhooks */
enum db_result deliveries_get(struct request *request);
enum db_result deliveries_redeliver(struct request *request);
enum db_result webhooks_redeliver(struct request *request);
enum db_result calls_tries(struct request *request);

#endif
