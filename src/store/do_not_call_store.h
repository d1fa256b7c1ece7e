/* Numbers that are never called. Every claim and every dispatch reads this list. */
#ifndef STORE_DO_NOT_CALL_STORE_H
#define STORE_DO_NOT_CALL_STORE_H

#include "store/db.h"
#include "store/page.h"

struct suppressed_number {
	const char *phone_number, *reason;
	int64_t created_at_us;
};

/* Adds numbers. Numbers that are on the list already do not change. *added: how many were new. */
enum db_result do_not_call_add(struct db *db, int64_t organization_id, const char *const *phone_numbers, size_t count,
                               const char *reason, int64_t now_us, int64_t *added);

/* Returns DB_NOT_FOUND if the number is not on the list. */
enum db_result do_not_call_remove(struct db *db, int64_t organization_id, const char *phone_number);

/* Reads the version of an organisation's do-not-call list: the number of its latest change; 0: there was none. */
enum db_result do_not_call_version(struct db *db, int64_t organization_id, int64_t *version);

/* Lists struct suppressed_number by number: this number if it is not "", else the numbers with this beginning ("":
 * all). */
enum db_result do_not_call_list(struct db *db, int64_t organization_id, const char *phone_number, const char *beginning,
                                const struct page *page, struct arena *arena, struct listing *out);

#endif
