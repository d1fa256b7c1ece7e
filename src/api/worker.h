/* One worker process: takes requests from the socket one after the other until it is told to stop or
 * has answered its share (conf->worker_requests). */
#ifndef API_WORKER_H
#define API_WORKER_H

#include "base/conf.h"

void worker_run(const struct conf *conf, int listen_fd, int number);

#endif
