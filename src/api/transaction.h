/* Every request that changes something runs as one transaction, reply included; and with an idempotency
 * key at most once a day. */
#ifndef API_TRANSACTION_H
#define API_TRANSACTION_H

#include "api/request.h"

/* Runs the handler inside a transaction, again if the database asks for it, and commits if it returns
 * DB_OK. With request->idempotency_key the reply is kept in the same transaction, and the next request
 * with this key gets it instead of being handled. */
enum db_result transaction_handle(struct request *request, enum db_result (*handle)(struct request *));

/* The same for a handler that makes transactions of its own while the body streams in: at most once a day
 * with an idempotency key, unless the process or the database dies in the middle. Reads the body to its end,
 * whatever the handler left of it. */
enum db_result transaction_stream(struct request *request, enum db_result (*handle)(struct request *));

/* For a body that was refused before any handler runs: with an idempotency key that reply is kept as well, or
 * gives way to the one that is. */
enum db_result transaction_refused(struct request *request);

#endif
