/* Numbers that are never called. The claim and every dispatch look here (scheduler/). */
#ifndef STORE_DO_NOT_CALL_STORE_H
#define STORE_DO_NOT_CALL_STORE_H

#include "store/db.h"
#include "store/page.h"

struct suppressed_number {
	const char *phone_number, *reason;
	int64_t created_at_us;
};

/* Numbers that are there already stay as they are. *added: how many were new. */
enum db_result do_not_call_add(struct db *db, int64_t organization_id, const char *const *phone_numbers,
                               size_t count, const char *reason, int64_t now_us, int64_t *added);

/* DB_NOT_FOUND: it is not on the list. */
enum db_result do_not_call_remove(struct db *db, int64_t organization_id, const char *phone_number);

/* By number; of struct suppressed_number. This number if it is not "", else those with this beginning ("": all). */
enum db_result do_not_call_list(struct db *db, int64_t organization_id, const char *phone_number, const char *beginning,
                                const struct page *page, struct arena *arena, struct listing *out);

#endif
