/* Folders of contacts. A deleted folder is invisible at once; its contacts are deleted in batches. */
#ifndef STORE_FOLDER_STORE_H
#define STORE_FOLDER_STORE_H

#include "domain/contact.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such folder. Texts live in the arena. */
enum db_result folder_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct contact_folder *out);

/* Like folder_get, and locks the row until the transaction ends: to change it, or to prevent changes. Adding and
 * removing contacts needs this lock. */
enum db_result folder_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct contact_folder *out);
enum db_result folder_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                  struct contact_folder *out);

/* Finds the latest folder of this name. */
enum db_result folder_find(struct db *db, int64_t organization_id, const char *name, struct arena *arena,
                           struct contact_folder *out);

enum folder_sort { FOLDER_SORT_NAME, FOLDER_SORT_CREATED_AT, FOLDER_SORT_CONTACT_COUNT, FOLDER_SORT__MAX };
struct folder_filter {
	const char *search; /* a part of the name; "": any */
	enum folder_sort sort;
	bool descending;
};
enum db_result folder_list(struct db *db, int64_t organization_id, const struct folder_filter *filter,
                           const struct page *page, struct arena *arena, struct listing *out);

/* Sets id. */
enum db_result folder_insert(struct db *db, int64_t organization_id, struct contact_folder *folder);
enum db_result folder_update(struct db *db, const struct contact_folder *folder);
enum db_result folder_delete(struct db *db, const struct contact_folder *folder, int64_t now_us);

/* Adds to the number of contacts; a negative number subtracts. Does nothing for folder 0, which is none. */
enum db_result folder_grew(struct db *db, int64_t folder_row, int64_t by);

/* Inside a transaction: deletes a batch of the contacts of one deleted folder; after the last batch, the folder.
 * *folder_row: 0 if there is no deleted folder. */
enum db_result folder_purge_step(struct db *db, int64_t now_us, int64_t *folder_row);
/* Outside of a transaction, when the purge has failed with the result `why`: postpones it, so that other folders are
 * purged, as batch_set_aside does. */
enum db_result folder_set_aside(struct db *db, int64_t folder_row, enum db_result why, int64_t now_us);

#endif
