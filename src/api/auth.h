/* Authentication and authorisation: the one place where they are decided. Bearer keys: a worker remembers a key for two
 * seconds, so a revoked key may still be accepted for that long. Reports (ROUTE_DIALER) accept two things instead of a
 * key: the call's token as the bearer, for this one call; or the signature of a dialer (Standard Webhooks), for the
 * calls that its endpoint was asked to place. A repeated report is harmless, so signatures are not remembered. A
 * signature older than five minutes is refused. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/request.h"

/* Sets request->key. DB_REFUSED: the reply is 401. */
enum db_result auth_identify(struct request *request);

/* Refuses the request, because the organisation of request->key is in another cell or is being moved. */
enum db_result auth_refuse_away(struct request *request);

/* Returns whether the rows of the organisation that were read are complete: the organisation had not moved by then.
 * Call it after the rows were read. While a worker remembers a key, it does not ask the database, because a move waits
 * until no worker remembers the key. */
bool auth_was_here(struct request *request);
/* Like auth_was_here(). DB_REFUSED: the organisation had moved, and the reply says so. */
enum db_result auth_require_here(struct request *request);

/* Call it after a request was refused with `result`, because its object is not known. If an organisation is being
 * copied to this cell, the object may come with it, and the reply asks the client to try again. */
enum db_result auth_refuse_unknown(struct request *request, enum db_result result);

/* Returns whether the request has a signature and no key. */
bool auth_is_by_signature(const struct request *request);

/* A signed request is checked twice: its headers before its body is read, and the signature afterwards. Results as of
 * auth_identify. */
enum db_result auth_check_signature_headers(struct request *request);
enum db_result auth_check_signature(struct request *request);

/* Returns whether this request may make its nth report, which is about this call. */
bool auth_may_report(const struct request *request, size_t nth, const struct uuid *call_id);

/* Records after the reply, at most once a minute, that the key of this request was used. */
void auth_note_use(struct db *db);

#endif
