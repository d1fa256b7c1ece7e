/* The fixture of a simulation: a database of its own beside Outdial's, with an organisation, a dialer, numbers and the
 * campaign of the script. Any error ends the process with a message, and the database is dropped. */
#ifndef SCHEDULER_STAGE_H
#define SCHEDULER_STAGE_H

#include "engine/campaign.h"
#include "scheduler/script.h"

struct stage {
	struct db *db;
	struct arena *arena;
	int64_t organization_id, batch_row;
	struct uuid batch_id;
	const char *timezone; /* the campaign's */
	int64_t next_person;  /* contacts whose number was not used yet */
};

/* When this returns, the clock is at the script's start, and the campaign is scheduled. */
struct stage stage_open(const char *option_file, const char *sql_folder, const struct script *script,
                        struct arena *arena);
void stage_close(struct stage *stage);

/* Does a user's action. Returns why it could not be done, or NULL. */
const char *stage_act(struct stage *stage, const struct script *script, const struct script_action *action);

/* An instant as the script gives it. */
int64_t stage_instant(const struct stage *stage, const struct when *when);

struct batch stage_batch(struct stage *stage, struct arena *arena);

/* Ends the process unless the result is DB_OK. */
void stage_require(const struct stage *stage, enum db_result result);

#endif
