/* The contacts of a cancelled campaign. A contact that was called, and waits for a retry, keeps the outcome of its
 * last call. The others are cancelled, and need no row of their own for that (batch_counts_settle). */
#ifndef ENGINE_CONTACT_SETTLEMENT_H
#define ENGINE_CONTACT_SETTLEMENT_H

#include "domain/batch.h"
#include "store/db.h"

/* Settles the first contacts of a campaign that is about to be cancelled, whose row is locked. Changes *batch: the
 * counts, and `work` to BATCH_WORK_SETTLE when contacts are left. The caller saves the work. */
enum db_result contacts_settle_begin(struct db *db, struct batch *batch);

/* Settles some contacts more, and saves how far it came. The counts of *batch stay as they were read. */
enum db_result contacts_settle_step(struct db *db, struct batch *batch);

#endif
