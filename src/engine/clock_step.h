/* After the database's clock stepped back, work that was due soon would wait until the clock is there again. */
#ifndef ENGINE_CLOCK_STEP_H
#define ENGINE_CLOCK_STEP_H

#include "store/db.h"

/* Moves contacts of active campaigns that were due when the clock stepped back by by_us, so that they are due again.
 * Later instants of plans stay, because a plan follows the clock. Retries and callbacks stay too, because they keep
 * their delays. Run it once, at the step: afterwards contacts are planned by the new clock. */
enum db_result clock_step_move_due(struct db *db, int64_t by_us);

/* Pulls in what was set to wait before the clock stepped back by by_us. Campaigns, deliveries and endpoints are looked
 * at now. Calls are looked at when their lease, or the time that they may last, could have begun now. Harmless when it
 * runs again. */
enum db_result clock_step_pull_in(struct db *db, int64_t by_us, int64_t lease_us);

#endif
