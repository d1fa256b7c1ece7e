/* One worker process: answers one request after the other until it is asked to stop, or has answered
 * conf->worker_requests requests. */
#ifndef API_WORKER_H
#define API_WORKER_H

#include "base/conf.h"

void worker_run(const struct conf *conf, int listen_fd, int number);

#endif
