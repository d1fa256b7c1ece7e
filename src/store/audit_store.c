#include "store/audit_store.h"

#include "store/columns.h"
#include "store/statements.h"

#define OF_ENTRY(kind, name, member) kind##_AS(struct audit_entry, name, member),
COLUMNS(audit_saved, struct audit_entry, AUDIT_TABLE(OF_ENTRY));
COLUMNS(audit_columns, struct audit_entry,
        AUDIT_TABLE(OF_ENTRY) COLUMN(struct audit_entry, id), COLUMN_AS(struct audit_entry, key_uuid, key_id),
        COLUMN(struct audit_entry, key_name));

enum db_result audit_write(struct db *db, const struct audit_entry *entry)
{
	return db_exec(db, SQL_AUDIT_WRITE, DB_ARGS(db_members(&audit_saved, entry)));
}

enum db_result audit_list_of(struct db *db, int64_t organization_id, enum audit_object object, const struct uuid *id,
                             const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), kind = db_int(object), of = db_uuid(id);

	DB_TRY(page_query(db, SQL_AUDIT_LIST_OF, DB_ARGS(
		organization, kind, of, page_below(page), page_rows(page), page_offset(page)), page, arena, out));
	return page_count(db, SQL_AUDIT_COUNT_OF, DB_ARGS(organization, kind, of), arena, out);
}
