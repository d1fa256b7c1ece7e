/* Reads what is stored of one person, who is identified by a telephone number. */
#ifndef ENGINE_PERSON_EXPORT_H
#define ENGINE_PERSON_EXPORT_H

#include "base/json.h"
#include "store/db.h"

/* Writes an object with the stored contacts, the copies in campaigns, the calls, what clients sent with single
 * calls, the entry of the do-not-call list, and whether the data are being erased. `is_complete` is false if a list
 * has more than PERSON_ROWS_MAX. */
#define PERSON_ROWS_MAX 1000
enum db_result person_export(struct db *db, int64_t organization_id, const char *phone_number, struct arena *arena,
                             struct json *json, const char *key);

/* Calls `act` for the organisation of this name, or for each organisation if it is "". DB_NOT_FOUND: there is none. */
typedef enum db_result person_act(struct db *db, int64_t organization_id, const char *name, void *context);
enum db_result person_in_organizations(struct db *db, const char *name, person_act *act, void *context);

#endif
