/* Folders of contacts. A deleted one is gone at once for everybody; its contacts leave in portions. */
#ifndef STORE_FOLDER_STORE_H
#define STORE_FOLDER_STORE_H

#include "domain/contact.h"
#include "store/db.h"
#include "store/page.h"

/* DB_NOT_FOUND: no such folder in this organisation. Texts live in the arena. */
enum db_result folder_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct contact_folder *out);

/* The same, and the row stays until the transaction ends: unchanged by others, or as it is. Who adds or
 * removes contacts holds the lock. */
enum db_result folder_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct contact_folder *out);
enum db_result folder_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid,
                                  struct arena *arena, struct contact_folder *out);

/* The latest of this name. */
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

/* So many contacts came (or, negative, left). For folder 0, which is none, nothing is done. */
enum db_result folder_grew(struct db *db, int64_t folder_row, int64_t by);

/* Inside a transaction: a portion of the contacts of one deleted folder, in the end the folder itself.
 * *folder_row: 0 if there was none. */
enum db_result folder_purge_step(struct db *db, int64_t now_us, int64_t *folder_row);
/* Outside of a transaction: postpones the purge by a minute, when the database refuses it, so that others are purged. */
enum db_result folder_set_aside(struct db *db, int64_t folder_row, int64_t now_us);

#endif
