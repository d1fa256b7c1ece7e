/* Entity tags: GET of one object returns a tag of its content. With it a client can ask whether the object is unchanged
 * (If-None-Match), and change it only if nobody else has (If-Match).
 *
 * A tag is a hash of the reply's `data`. For an object that PATCH changes, the tag has two parts: a hash of the fields
 * that PATCH accepts (and of `updated_at`, unless a `status` moves it), and a hash of everything. If-None-Match
 * compares both. If-Match compares only the first, because the other members, such as counters, change by themselves.
 */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "api/request.h"

/* Adds the ETag to a reply to GET or PATCH, or makes it a 304. `configured`: the fields of PATCH; NULL: there is no
 * PATCH. */
void etag_finish(struct request *request, const struct field_table *configured);

/* Returns whether the present reply shows the object in the state that If-Match requires. */
bool etag_is_wanted(const struct request *request, const struct field_table *configured);

/* Returns whether the present reply shows the object in the state that If-None-Match names. */
bool etag_is_known(const struct request *request, const struct field_table *configured);

#endif
