/* Where a simulation is played: a database of its own beside Outdial's, with an organisation, a dialer, numbers and the
 * campaign of the script. Whatever goes wrong ends the process with a message, and the database goes with it. */
#ifndef SCHEDULER_STAGE_H
#define SCHEDULER_STAGE_H

#include "scheduler/script.h"
#include "store/campaign.h"

struct stage {
	struct db *db;
	struct arena *arena;
	int64_t organization_id, batch_row;
	struct uuid batch_id;
	const char *timezone;  /* the campaign's */
	int64_t next_person;   /* whose number has not been given out yet */
};

/* The clock stands at the script's start when this returns; the campaign is scheduled. */
struct stage stage_open(const char *option_file, const char *sql_folder, const struct script *script,
                        struct arena *arena);
void stage_close(struct stage *stage);

/* What a user does. Why it could not be done, or NULL. */
const char *stage_act(struct stage *stage, const struct script *script, const struct script_action *action);

/* An instant as the script gives it. */
int64_t stage_instant(const struct stage *stage, const struct when *when);

struct batch stage_batch(struct stage *stage, struct arena *arena);

/* Ends the process unless the database did it. */
void stage_require(const struct stage *stage, enum db_result result);

#endif
