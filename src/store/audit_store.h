/* Who changed what, and when. A row is written in the transaction of the change. */
#ifndef STORE_AUDIT_STORE_H
#define STORE_AUDIT_STORE_H

#include <stdint.h>

#include "base/uuid.h"
#include "store/db.h"
#include "store/page.h"

/* The numbers of both are stored. */
enum audit_object { AUDIT_CAMPAIGN, AUDIT_OBJECT__MAX };
enum audit_action { AUDIT_CREATED, AUDIT_CHANGED, AUDIT_MOVED /* to another state */, AUDIT_DELETED, AUDIT_ACTION__MAX };

struct audit_entry {
	int64_t id, organization_id;
	int object, action;
	struct uuid object_id;
	int64_t key_row;         /* who did it; 0: Outdial itself */
	struct uuid key_id;      /* the same and its name, when it is read */
	const char *key_name;
	int from_status, to_status; /* of a campaign; -1: none */
	int64_t happened_at_us;
	const char *reason, *changes; /* changes: a JSON object or "" */
};

enum db_result audit_write(struct db *db, const struct audit_entry *entry);

/* What happened to one object, newest first; of struct audit_entry. */
enum db_result audit_list_of(struct db *db, int64_t organization_id, enum audit_object object, const struct uuid *id,
                             const struct page *page, struct arena *arena, struct listing *out);

#endif
