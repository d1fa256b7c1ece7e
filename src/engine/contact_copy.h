/* Copies the contacts of a folder to a campaign, in the order of their creation, or those of another campaign, in the
 * order of their positions. A small source is copied in the transaction that creates the campaign. The rest of a large
 * one is copied in chunks, whatever happens to the source meanwhile. The campaign makes no calls until all contacts are
 * copied (its work is BATCH_WORK_COPY). */
#ifndef ENGINE_CONTACT_COPY_H
#define ENGINE_CONTACT_COPY_H

#include "domain/batch.h"
#include "store/db.h"

/* Call it in the transaction that creates the campaign; the caller has locked the folder. */
enum db_result contact_copy_folder(struct db *db, struct batch *batch, const struct contact_folder *folder);

/* Copies the contacts that the source has now and whose results are in batch->config.source_statuses. A contact is
 * judged when it is copied, but whether waiting contacts count as cancelled is decided now. */
enum db_result contact_copy_campaign(struct db *db, struct batch *batch, const struct batch *source);

/* Copies the next chunk, under the campaign's lock. *done: it was the last, and the caller sets batch->work. */
enum db_result contact_copy_step(struct db *db, struct batch *batch, bool *done);

/* Finds out whether contacts of this campaign, whose row is locked, are still to be copied: then they must not be
 * removed. */
enum db_result contact_copy_needs(struct db *db, const struct batch *source, bool *needed);

#endif
