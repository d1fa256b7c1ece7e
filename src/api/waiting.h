/* Requests that wait until there is something to answer: long polls. A worker that waits answers no other request,
 * so only some of the workers of a host may wait at once. A request that finds no seat gets an empty answer at
 * once, with Retry-After. */
#ifndef API_WAITING_H
#define API_WAITING_H

#include "api/request.h"

/* Runs `run`, and runs it again while its answer is an empty one (reply->passes), until request->wait_until_us. No
 * transaction is open while the request waits. */
enum db_result waiting_run(struct request *request, enum db_result (*run)(struct request *));

/* How many workers may wait at once. */
int waiting_seats(const struct conf *conf);

#endif
