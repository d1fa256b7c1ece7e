/* Contacts that were added at the front of a campaign. They are called before all other contacts that were not called
 * yet. A plan of the campaign begins with them, in the order of their positions. The caller holds the lock of the
 * campaign. */
#ifndef ENGINE_FRONT_CONTACTS_H
#define ENGINE_FRONT_CONTACTS_H

#include "domain/batch.h"
#include "store/db.h"

/* Marks the contacts after this position as front contacts. Afterwards the caller has the campaign planned again. */
enum db_result front_contacts_mark(struct db *db, struct batch *batch, int64_t after);

/* Plans the front contacts that are not planned, and moves the cursor of the plan to after them. If no day can
 * take a contact now, this contact is planned later, with the other contacts. */
enum db_result front_contacts_plan(struct db *db, struct batch *batch, struct arena *arena);

#endif
