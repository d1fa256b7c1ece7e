/* Waiting callbacks. Contacts of a campaign wait in the order of their instants, and a campaign that cannot keep up
 * with its plan has many overdue contacts. A callback does not wait for these: when its instant comes, its contact
 * moves to the first place. All functions need the campaign's lock. */
#ifndef ENGINE_CALLBACKS_H
#define ENGINE_CALLBACKS_H

#include "store/db.h"

/* Moves the callbacks whose instant has come before all other waiting contacts. *low_water_us, and that of the
 * campaign, move with them: the campaign may not be claimed from in this transaction. */
enum db_result callbacks_promote(struct db *db, int64_t batch_id, int64_t now_us, int64_t *low_water_us);

#endif
