/* Entity tags: GET of one object names what it gave, so that a client can ask whether it still is that
 * (If-None-Match), and change it only if it is (If-Match). A tag is a hash of the reply's `data`. */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "api/request.h"

/* The reply to GET or PATCH stands: gives it its ETag, or makes it a 304. */
void etag_finish(struct request *request);

/* The reply that stands gives the object as If-Match wants it. */
bool etag_is_wanted(const struct request *request);

#endif
