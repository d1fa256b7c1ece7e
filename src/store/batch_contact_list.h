/* Lists of the contacts of a campaign. Contacts in flight are found by their calls, and planned contacts by the plan.
 * So neither list reads the whole campaign. */
#ifndef STORE_BATCH_CONTACT_LIST_H
#define STORE_BATCH_CONTACT_LIST_H

#include "store/batch_contact_store.h"
#include "store/page.h"

enum batch_contact_sort {
	BATCH_CONTACT_SORT_POSITION,
	BATCH_CONTACT_SORT_SCHEDULED_AT, /* only planned contacts, whatever the filter */
	BATCH_CONTACT_SORT__MAX
};
extern const char *const batch_contact_sort_names[BATCH_CONTACT_SORT__MAX + 1]; /* NULL-terminated */

struct batch_contact_filter {
	unsigned statuses;        /* bit set of enum contact_status; 0: any */
	const char *phone_number; /* "": any */
	const char *search;       /* a part of the name; "": any */
	int sort;                 /* enum batch_contact_sort */
};

/* A page of a search looks at this many contacts, and the next page goes on after them. */
#define BATCH_CONTACTS_SEARCHED_MAX 100000

/* Lists struct batch_contact. A page of a search may be shorter than its limit although more pages follow. Its total
 * counts the first BATCH_CONTACTS_SEARCHED_MAX contacts. */
enum db_result batch_contacts_list(struct db *db, const struct batch *batch, const struct batch_contact_filter *filter,
                                   const struct page *page, struct arena *arena, struct listing *out);

/* Returns the custom fields, as texts of objects, of the contacts after the first position up to the second. */
enum db_result batch_contacts_custom_fields(struct db *db, const struct batch *batch, int64_t after, int64_t up_to,
                                            struct arena *arena, const char ***out, size_t *count);

#endif
