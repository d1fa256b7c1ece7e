/* Outbox: events are stored in the same transaction as the change that they announce. */
#ifndef STORE_EVENT_STORE_H
#define STORE_EVENT_STORE_H

#include "domain/event.h"
#include "store/db.h"

/* `data` is a JSON object. The event goes to every endpoint of the organisation that subscribed to the type and is not
 * disabled. If none has subscribed, nothing is written. */
struct published_event {
	int64_t organization_id;
	enum event type;
	const char *data;
};
enum db_result events_publish(struct db *db, const struct published_event *events, size_t count, int64_t now_us);
enum db_result event_publish(struct db *db, int64_t organization_id, enum event type, const char *data, int64_t now_us);

/* Sends an event to one endpoint, even if it does not subscribe to it. agent_id: the agent that depends on the
 * result, or 0. Sets event_id, and `row` to the row of the delivery. */
enum db_result event_send(struct db *db, int64_t organization_id, enum event type, const char *data,
                          int64_t endpoint_id, int64_t agent_id, int64_t now_us, struct uuid *event_id, int64_t *row);

#endif
