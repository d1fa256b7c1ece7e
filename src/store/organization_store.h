/* Organisations and their contact limits. */
#ifndef STORE_ORGANIZATION_STORE_H
#define STORE_ORGANIZATION_STORE_H

#include "domain/contact_limit.h"
#include "domain/organization.h"
#include "store/columns.h"
#include "store/db.h"

/* Where an organisation is. */
struct organization_place_of {
	int64_t id;
	struct uuid uuid;
	const char *name, *cell; /* cell: the other one; "": none */
	int place;               /* enum organization_place */
	int64_t created_at_us;
};

/* DB_NOT_FOUND: there is no such organisation. */
enum db_result organization_place(struct db *db, int64_t id, struct arena *arena, struct organization_place_of *out);

/* All organisations, by name. */
enum db_result organization_places(struct db *db, struct arena *arena, const struct organization_place_of **list,
                                   size_t *count);

/* Called in every transaction that changes something of an organisation, except those of schedulers: the organisation
 * does not leave before the transaction ends. DB_REFUSED: it is not here, or on its way. */
enum db_result organization_enter(struct db *db, int64_t id);

/* Returns whether a copy of some organisation is being filled, or is about to be. */
enum db_result organization_any_arrives(struct db *db, bool *arrives);

/* Locks the row that says where the organisation is. DB_REFUSED: there is no such row. */
enum db_result organization_lock_place(struct db *db, int64_t id, int64_t *place);

enum db_result organization_get(struct db *db, int64_t id, struct arena *arena, struct organization *out);
/* The same, and its row stays locked until the transaction ends. */
enum db_result organization_lock(struct db *db, int64_t id, struct arena *arena, struct organization *out);

/* Saves its limits and updated_at_us. The transactions that judge by limits lock that row, so this waits for them. */
enum db_result organization_save_limits(struct db *db, const struct organization *organization);

/* Saves its calling windows and updated_at_us. */
enum db_result organization_save_hours(struct db *db, const struct organization *organization);

/* Locks the limits until the transaction ends, so no other transaction judges by them meanwhile. Without limits
 * nothing is locked. */
enum db_result organization_lock_limits(struct db *db, int64_t id, struct arena *arena, struct contact_limits *out);

/* The columns limits and rest_hours, read into a member that is a struct contact_limits. */
#define CONTACT_LIMITS_COLUMNS(type, member) \
	FORM_AS(type, limits, member.list, &contact_limits_form), COLUMN_AS(type, rest_hours, member.rest_hours)
extern const struct column_form contact_limits_form;

#endif
