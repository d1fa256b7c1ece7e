/* Every request that changes something runs as one transaction, reply included; and with an idempotency
 * key at most once a day. */
#ifndef API_TRANSACTION_H
#define API_TRANSACTION_H

#include "api/request.h"

/* Runs the handler inside a transaction, again if the database asks for it, and commits if it returns
 * DB_OK. With request->idempotency_key the reply is kept in the same transaction, and the next request
 * with this key gets it instead of being handled. */
enum db_result transaction_handle(struct request *request, enum db_result (*handle)(struct request *));

#endif
