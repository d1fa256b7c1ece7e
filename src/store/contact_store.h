/* Stored contacts, in folders or in none (folder_row 0). A folder has a number only once. */
#ifndef STORE_CONTACT_STORE_H
#define STORE_CONTACT_STORE_H

#include "domain/contact.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such contact. Texts live in the arena. */
enum db_result contact_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct contact *out);
/* Like contact_get, and locks the row until the transaction ends. */
enum db_result contact_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                            struct contact *out);

struct contact_filter {
	const struct contact_folder *folder; /* NULL: any folder, or none */
	int last_call_outcome;               /* -1: any */
	const char *search;                  /* a part of the number, name or address; "": any */
};
/* Lists struct contact, newest first. */
enum db_result contact_list(struct db *db, int64_t organization_id, const struct contact_filter *filter,
                            const struct page *page, struct arena *arena, struct listing *out);

/* These functions also update the counts of the folders, which the caller has locked. DB_DUPLICATE: the folder has this
 * number already. */
enum db_result contact_insert(struct db *db, int64_t organization_id, struct contact *contact); /* sets id */
enum db_result contact_update(struct db *db, const struct contact *contact, int64_t old_folder_row);
enum db_result contact_delete(struct db *db, const struct contact *contact);

/* Adds up to CONTACTS_AT_ONCE contacts in one statement, to the folder that the caller has locked. A number that is
 * there already is skipped; with `overwrite`, its members in `members` (CONTACT_HAS_…) are overwritten. */
#define CONTACTS_AT_ONCE 1000
enum db_result contacts_add(struct db *db, int64_t organization_id, int64_t folder_row,
                            const struct contact_input *contacts, size_t count, bool overwrite, unsigned members,
                            int64_t now_us, int64_t *added);

#endif
