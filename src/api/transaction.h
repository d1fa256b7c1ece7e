/* Every request that changes something runs as one transaction, including its reply. With an idempotency key it runs at
 * most once a day. */
#ifndef API_TRANSACTION_H
#define API_TRANSACTION_H

#include "api/request.h"

/* Runs the handler inside a transaction, again if the database requires it, and commits if it returns DB_OK. With
 * request->idempotency_key the reply is kept in the same transaction, and a later request with this key gets the kept
 * reply. */
enum db_result transaction_handle(struct request *request, enum db_result (*handle)(struct request *));

/* For a handler that makes its own transactions while the body arrives. With an idempotency key it runs at most
 * once a day, unless the process or the database dies meanwhile. Reads the body to its end, even if the handler did
 * not. */
enum db_result transaction_stream(struct request *request, enum db_result (*handle)(struct request *));

/* For a body that was refused before a handler runs: with an idempotency key that reply is kept too, or the kept reply
 * is sent instead. */
enum db_result transaction_refused(struct request *request);

#endif
