#include "store/event_store.h"

#include "store/statements.h"

enum db_result event_publish(struct db *db, int64_t organization_id, enum event type, const char *data,
                             int64_t now_us)
{
	struct uuid uuid = uuid_new();
	struct db_value organization = db_int(organization_id), bit = db_int(EVENT_BIT(type));
	struct db_value now = db_instant(now_us);

	DB_TRY(db_exec(db, SQL_EVENT_INSERT_FOR_SUBSCRIBERS,
	               DB_ARGS(db_uuid(&uuid), organization, db_int(type), db_text(data), now,
	                       organization, bit)));
	if (db_affected(db) == 0)
		return DB_OK;
	return db_exec(db, SQL_EVENT_DELIVER_TO_SUBSCRIBERS,
	               DB_ARGS(db_int(db_insert_id(db)), now, organization, bit));
}

enum db_result event_send(struct db *db, int64_t organization_id, enum event type, const char *data,
                          int64_t endpoint_id, int64_t agent_id, int64_t now_us)
{
	struct uuid uuid = uuid_new();
	struct db_value now = db_instant(now_us);

	DB_TRY(db_exec(db, SQL_EVENT_INSERT,
	               DB_ARGS(db_uuid(&uuid), db_int(organization_id), db_int(type), db_text(data),
	                       now)));
	DB_TRY(db_exec(db, SQL_EVENT_DELIVER,
	               DB_ARGS(db_int(db_insert_id(db)), db_int(endpoint_id), db_int(agent_id), now)));
	if (agent_id == 0)
		return DB_OK;
	return db_exec(db, SQL_AGENT_SYNC_SENT, DB_ARGS(db_int(db_insert_id(db)), db_int(agent_id)));
}
