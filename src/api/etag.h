/* Entity tags: GET of one object names what it gave, so that a client can ask whether it still is that
 * (If-None-Match), and change it only if nobody else has (If-Match).
 *
 * A tag is a hash of the reply's `data`. Of an object that PATCH changes, the tag has two parts: a hash of the fields that
 * PATCH takes (and of `updated_at`, unless a `status` moves it), and a hash of all. If-None-Match compares both. If-Match compares the first alone, because the others,
 * such as counters, change without anybody having changed the object. */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "api/request.h"

/* The reply to GET or PATCH stands: gives it its ETag, or makes it a 304. `configured`: what PATCH takes; NULL: there is no
 * PATCH. */
void etag_finish(struct request *request, const struct field_table *configured);

/* The reply that stands gives the object as If-Match wants it. */
bool etag_is_wanted(const struct request *request, const struct field_table *configured);

/* The reply that stands gives the object as If-None-Match names it. */
bool etag_is_known(const struct request *request, const struct field_table *configured);

#endif
