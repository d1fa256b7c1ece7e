/* A campaign gets copies of a folder's contacts, in the order of their making. Those of a small folder are there when
 * the campaign is; the rest of a large one follows in chunks, whatever becomes of the folder meanwhile, and the campaign
 * calls nobody until all are there (work is BATCH_WORK_COPY). */
#ifndef STORE_FOLDER_COPY_H
#define STORE_FOLDER_COPY_H

#include "domain/batch.h"
#include "store/db.h"

/* In the transaction that makes the campaign; the caller has locked the folder. */
enum db_result folder_copy_begin(struct db *db, struct batch *batch, const struct contact_folder *folder);

/* The next chunk, under the campaign's lock. *done: it was the last, and batch->work is to be set. */
enum db_result folder_copy_step(struct db *db, struct batch *batch, bool *done);

#endif
