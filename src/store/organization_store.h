/* Organisations: what they are called, and how often they call somebody. */
#ifndef STORE_ORGANIZATION_STORE_H
#define STORE_ORGANIZATION_STORE_H

#include "domain/contact_limit.h"
#include "store/columns.h"
#include "store/db.h"

enum db_result organization_get(struct db *db, int64_t id, struct arena *arena, struct organization *out);
/* The same, and its row stays locked until the transaction ends. */
enum db_result organization_lock(struct db *db, int64_t id, struct arena *arena, struct organization *out);

/* Its limits and updated_at_us. Whoever judges by limits holds the lock of that row, so it waits for them. */
enum db_result organization_save_limits(struct db *db, const struct organization *organization);

/* Locks the limits until the transaction ends: nobody else judges by them meanwhile. Without any nothing is
 * locked. */
enum db_result organization_lock_limits(struct db *db, int64_t id, struct arena *arena, struct contact_limits *out);

/* The columns limits and rest_hours, read into a member that is a struct contact_limits. */
#define CONTACT_LIMITS_COLUMNS(type, member)                        \
	FORM_AS(type, limits, member.list, &contact_limits_form),   \
	COLUMN_AS(type, rest_hours, member.rest_hours)
extern const struct column_form contact_limits_form;

#endif
