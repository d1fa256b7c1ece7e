/* Bearer keys. A worker remembers a key for two seconds: so long a revoked one may still be taken. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/request.h"

/* DB_OK: request->key is whose request it is. DB_REFUSED: 401 is answered. */
enum db_result auth_identify(struct request *request);

/* After the reply: writes down, once a minute, that the key of this request was used. */
void auth_note_use(struct db *db);

#endif
