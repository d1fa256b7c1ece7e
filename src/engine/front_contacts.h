/* Contacts that were added at the front of a campaign: they are called before all others that were not called yet.
 * Whenever the campaign is planned they are planned first, in the order of their positions. Under its lock. */
#ifndef ENGINE_FRONT_CONTACTS_H
#define ENGINE_FRONT_CONTACTS_H

#include "domain/batch.h"
#include "store/db.h"

/* Marks the contacts after this position as contacts at the front. The campaign has to be planned again. */
enum db_result front_contacts_mark(struct db *db, struct batch *batch, int64_t after);

/* Plans the front contacts that are not planned, and moves the cursor of the plan to after them. A contact that no day
 * can take now is planned later, with the other contacts. */
enum db_result front_contacts_plan(struct db *db, struct batch *batch, struct arena *arena);

#endif
