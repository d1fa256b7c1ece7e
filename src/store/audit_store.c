#include "store/audit_store.h"

#include <string.h>

#include "base/instant.h"
#include "store/columns.h"
#include "store/statements.h"

#define OF_ENTRY(kind, name, member) kind##_AS(struct audit_entry, name, member),
COLUMNS(audit_saved, struct audit_entry, AUDIT_TABLE(OF_ENTRY));
COLUMNS(audit_columns, struct audit_entry, AUDIT_TABLE(OF_ENTRY) COLUMN(struct audit_entry, id),
        COLUMN_AS(struct audit_entry, key_uuid, key_id), COLUMN(struct audit_entry, key_name),
        COLUMN(struct audit_entry, organization_name));

const char *const audit_object_names[AUDIT_OBJECT__MAX + 1] = {
	"campaign",    "agent", "number", "webhook",      "delivery", "folder",       "contact",
	"do_not_call", "call",  "key",    "organization", "person",   "installation", NULL,
};

const char *const audit_action_names[AUDIT_ACTION__MAX + 1] = {
	"created",    "changed",        "moved",    "deleted",    "imported",  "added",   "removed",   "assigned",
	"unassigned", "secret_renewed", "tested",   "sent_again", "synced",    "revoked", "cancelled", "linked",
	"exported",   "erased",         "migrated", "rekeyed",    "recovered", "paused",  "resumed",   NULL,
};

static const struct audit_actor nobody = { .address = "", .operator_name = "" };
static struct audit_actor acting = { .address = "", .operator_name = "" };

void audit_act_as(const struct audit_actor *actor)
{
	acting = actor != NULL ? *actor : nobody;
}

enum db_result audit_write(struct db *db, const struct audit_entry *entry)
{
	const struct audit_actor *actor = entry->is_by_itself ? &nobody : &acting;
	struct audit_entry saved = *entry;

	saved.key_row = actor->key_row;
	saved.address = actor->address;
	saved.operator_name = actor->operator_name;
	return db_exec(db, SQL_AUDIT_WRITE, DB_ARGS(db_members(&audit_saved, &saved)));
}

enum db_result audit_set_changes(struct db *db, int64_t id, const struct uuid *object_id, const char *changes)
{
	DB_TRY(db_exec(db, SQL_AUDIT_SET_CHANGES, DB_ARGS(db_text(changes), db_int(id), db_uuid(object_id))));
	return db_affected(db) == 0 ? DB_NOT_FOUND : DB_OK;
}

enum db_result audit_list_of(struct db *db, int64_t organization_id, enum audit_object object, const struct uuid *id,
                             const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), kind = db_int(object), of = db_uuid(id);

	DB_TRY(page_query(db, SQL_AUDIT_LIST_OF,
	                  DB_ARGS(organization, kind, of, page_below(page), page_rows(page), page_offset(page)), page,
	                  arena, out));
	return page_count(db, SQL_AUDIT_COUNT_OF, DB_ARGS(organization, kind, of), arena, out);
}

/* The statements for a filter: by the index that fits it best. */
struct lister {
	enum sql_statement list, count;
	struct db_value first[2]; /* the parameters before the others */
	size_t first_count;
};

static struct lister find_lister(int64_t organization_id, const struct audit_filter *filter, int64_t key_row)
{
	struct db_value organization = db_int(organization_id);

	if (organization_id == 0)
		return (struct lister){ SQL_AUDIT_LIST_ALL, SQL_AUDIT_COUNT_ALL, { organization }, 0 };
	if (!uuid_is_nil(&filter->object_id))
		return (struct lister){
			SQL_AUDIT_LIST_BY_OBJECT, SQL_AUDIT_COUNT_BY_OBJECT, { organization, db_uuid(&filter->object_id) }, 2
		};
	if (key_row != 0)
		return (struct lister){ SQL_AUDIT_LIST_BY_KEY, SQL_AUDIT_COUNT_BY_KEY, { organization, db_int(key_row) }, 2 };
	return (struct lister){ SQL_AUDIT_LIST, SQL_AUDIT_COUNT, { organization }, 1 };
}

/* *row 0: entries of any key are wanted; -1: there is no such key. */
static enum db_result find_key_row(struct db *db, int64_t organization_id, const struct uuid *key_id, int64_t *row)
{
	struct db_value organization = db_int(organization_id);
	enum db_result result;

	*row = 0;
	if (uuid_is_nil(key_id))
		return DB_OK;
	result = db_query_int(db, SQL_AUDIT_KEY, DB_ARGS(db_uuid(key_id), organization, organization), row);
	if (result == DB_NOT_FOUND)
		*row = -1;
	return result == DB_NOT_FOUND ? DB_OK : result;
}

#define FILTER_ARGS 10
#define PAGE_ARGS 5

/* The parameters are in the order of AUDIT_FILTER. */
static size_t add_filter(struct db_value args[FILTER_ARGS], const struct audit_filter *filter, int64_t key_row)
{
	const struct db_value all[FILTER_ARGS] = {
		db_instant(filter->since_us),
		db_instant(filter->until_us),
		db_int(filter->object),
		db_int(filter->object),
		db_int(filter->action),
		db_int(filter->action),
		db_int(uuid_is_nil(&filter->object_id)),
		db_uuid(&filter->object_id),
		db_int(key_row),
		db_int(key_row),
	};

	memcpy(args, all, sizeof all);
	return FILTER_ARGS;
}

/* The parameters are in the order of AUDIT_LIST_BY. Several entries may have the same instant. */
static size_t add_page(struct db_value args[PAGE_ARGS], const struct page *page)
{
	struct db_value before = db_instant(page->after != NULL ? page->after->number : INSTANT_NEVER);
	const struct db_value all[PAGE_ARGS] = { before, before, page_below(page), page_rows(page), page_offset(page) };

	memcpy(args, all, sizeof all);
	return PAGE_ARGS;
}

enum db_result audit_list(struct db *db, int64_t organization_id, const struct audit_filter *filter,
                          const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value args[2 + FILTER_ARGS + PAGE_ARGS];
	struct lister lister;
	int64_t key_row;
	size_t count;

	DB_TRY(find_key_row(db, organization_id, &filter->key_id, &key_row));
	lister = find_lister(organization_id, filter, key_row);
	memcpy(args, lister.first, lister.first_count * sizeof *args);
	count = lister.first_count + add_filter(args + lister.first_count, filter, key_row);
	DB_TRY(page_query(db, lister.list, args, count + add_page(args + count, page), page, arena, out));
	if (out->count != 0)
		out->last.number = ((const struct audit_entry *)out->items)[out->count - 1].happened_at_us;
	return page_count(db, lister.count, args, count, arena, out);
}
