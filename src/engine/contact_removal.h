/* Removes contacts from a campaign, under the campaign's lock. */
#ifndef ENGINE_CONTACT_REMOVAL_H
#define ENGINE_CONTACT_REMOVAL_H

#include "domain/batch.h"
#include "store/db.h"

/* Cancels a contact that waits: it leaves the plan, and keeps its position. An attempt that no dialer answered ends
 * with it. DB_REFUSED: the contact does not wait; *status is its status. DB_NOT_FOUND: it does not exist. */
enum db_result contact_remove(struct db *db, struct batch *batch, int64_t position, int64_t now_us,
                              enum contact_status *status);

/* Deletes the last of a draft's contacts, at most CONTACTS_REMOVED_MAX, so that positions stay dense. Contacts that
 * are still to be copied from a folder are not copied any more. */
enum db_result contacts_remove_last(struct db *db, struct batch *batch, int64_t *removed);
#define CONTACTS_REMOVED_MAX 10000

#endif
