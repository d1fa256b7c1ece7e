/* Who it is, and what for: the one place where that is decided. Bearer keys: a worker remembers a key for two
 * seconds, so long a revoked one may still be taken. And for reports (ROUTE_DIALER) two things in a key's stead:
 * the call's token as the bearer, for this one call; the signature of a dialer (Standard Webhooks), for the calls
 * that its endpoint was asked to place. To say a report again is harmless, so a signature is not remembered; it is
 * refused when it is older than five minutes. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/request.h"

/* DB_OK: request->key is whose request it is. DB_REFUSED: 401 is answered. */
enum db_result auth_identify(struct request *request);

/* Whether it comes with a signature and without a key. */
bool auth_is_by_signature(const struct request *request);

/* Such a request is judged twice: its headers before its body is read, and the signature when it has been. Results as of
 * auth_identify. */
enum db_result auth_check_signature_headers(struct request *request);
enum db_result auth_check_signature(struct request *request);

/* Whether the nth report of this request, which is about this call, is its to make. */
bool auth_may_report(const struct request *request, size_t nth, const struct uuid *call_id);

/* After the reply: writes down, once a minute, that the key of this request was used. */
void auth_note_use(struct db *db);

#endif
