/* Erases what an organisation stores of one person, who is identified by a telephone number. A request is a row of
 * `person_erasures`. Schedulers and `outdial person erase` carry it out in small transactions, each of which stores
 * how far it has come. So it goes on after any crash, and any number of processes may work at it.
 *
 * Stored contacts are deleted. A contact of a campaign is removed if it waits, and its fields become empty; the
 * same holds for its calls, which keep their times, states and costs, so all counts stay as they are. A call that
 * is under way ends first, and a campaign or folder that is being deleted is deleted first. Then events and kept
 * replies that contain the number are erased. The do-not-call list keeps the number. */
#ifndef ENGINE_PERSON_ERASURE_H
#define ENGINE_PERSON_ERASURE_H

#include <stdbool.h>

#include "store/db.h"

/* Inside a transaction. A second request for the same person begins again. */
enum db_result person_erasure_request(struct db *db, int64_t organization_id, const char *phone_number, int64_t now_us);

/* Does a batch of one erasure that is due. Sets *more if there was one. */
enum db_result person_erasure_step(struct db *db, int64_t now_us, bool *more);

/* *requested_at_us: INSTANT_NONE: there is no erasure under way. */
enum db_result person_erasure_find(struct db *db, int64_t organization_id, const char *phone_number,
                                   int64_t *requested_at_us);

#endif
