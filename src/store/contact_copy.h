/* A campaign gets copies of the contacts of a folder, in the order of their making, or of another campaign, in the order of
 * their positions. Those of a small one are there when the campaign is. The rest of a large one follows in chunks, whatever
 * becomes of the source meanwhile, and the campaign calls nobody until all are there (work is BATCH_WORK_COPY). */
#ifndef STORE_CONTACT_COPY_H
#define STORE_CONTACT_COPY_H

#include "domain/batch.h"
#include "store/db.h"

/* In the transaction that makes the campaign; the caller has locked the folder. */
enum db_result contact_copy_folder(struct db *db, struct batch *batch, const struct contact_folder *folder);

/* The same of a campaign. What it has now is meant, with the results of batch->config.source_statuses. A contact is judged
 * when it is copied; but whether one that waits counts as cancelled is judged now. */
enum db_result contact_copy_campaign(struct db *db, struct batch *batch, const struct batch *source);

/* The next chunk, under the campaign's lock. *done: it was the last, and batch->work is to be set. */
enum db_result contact_copy_step(struct db *db, struct batch *batch, bool *done);

/* Whether contacts of this campaign are still to be copied: they must stay until then. Its row is locked. */
enum db_result contact_copy_needs(struct db *db, const struct batch *source, bool *needed);

#endif
