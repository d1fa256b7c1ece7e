/* Contacts that are kept, in folders or in none (folder_row 0), where a number stands once. */
#ifndef STORE_CONTACT_STORE_H
#define STORE_CONTACT_STORE_H

#include "domain/contact.h"
#include "store/db.h"
#include "store/page.h"

/* DB_NOT_FOUND: no such contact in this organisation. Texts live in the arena. */
enum db_result contact_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct contact *out);
/* The same, and the row stays locked until the transaction ends. */
enum db_result contact_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                            struct contact *out);

struct contact_filter {
	const struct contact_folder *folder; /* NULL: any, and none */
	int last_call_outcome;               /* -1: any */
	const char *search;                  /* a part of number, name or address; "": any */
};
/* Newest first; of struct contact. */
enum db_result contact_list(struct db *db, int64_t organization_id, const struct contact_filter *filter,
                            const struct page *page, struct arena *arena, struct listing *out);

/* These keep the folders' counts too; the folders are locked by the caller. DB_DUPLICATE: the number
 * stands in the folder already. */
enum db_result contact_insert(struct db *db, int64_t organization_id, struct contact *contact); /* sets id */
enum db_result contact_update(struct db *db, const struct contact *contact, int64_t old_folder_row);
enum db_result contact_delete(struct db *db, const struct contact *contact);

/* Adds up to CONTACTS_AT_ONCE contacts in one statement, in the folder that the caller has locked. A number that is there
 * already is passed over, or, with `overwrite`, the members of it that `members` (CONTACT_HAS_…) tells. */
#define CONTACTS_AT_ONCE 1000
enum db_result contacts_add(struct db *db, int64_t organization_id, int64_t folder_row,
                            const struct contact_input *contacts, size_t count, bool overwrite, unsigned members,
                            int64_t now_us, int64_t *added);

#endif
