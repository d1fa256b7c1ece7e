/* Deliveries: reading them, the results of their tries, and sending them again. event_store.h creates them,
 * scheduler/outbox.h sends them. Strings and lists live in the arena. */
#ifndef STORE_DELIVERY_STORE_H
#define STORE_DELIVERY_STORE_H

#include "domain/delivery.h"
#include "domain/webhook.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such delivery. */
enum db_result delivery_get(struct db *db, int64_t organization_id, const struct uuid *id, struct arena *arena,
                            struct delivery *out);

/* A delivery that is to be sent. */
struct outgoing_delivery {
	int64_t id, tries, created_at_us;
	struct uuid event_id, endpoint_id;
	enum event type;
	const char *data, *url;
	struct bytes secret; /* sealed */
};
/* Reads the waiting deliveries among these whose endpoints exist. */
enum db_result deliveries_load(struct db *db, const int64_t *ids, size_t count, struct arena *arena,
                               const struct outgoing_delivery **deliveries, size_t *found);

/* The result of one try. */
struct settled_delivery {
	int64_t id, wake_at_us;
	enum delivery_status status;
	int code;
	char error[256];
};
/* Writes results, and whether the dialers of agents know these agents now. Writing the same results twice does no harm.
 */
enum db_result deliveries_settle(struct db *db, const struct settled_delivery *settled, size_t count, int64_t now_us);

struct delivery_filter {
	int status, type;            /* -1: any */
	int64_t after_us, before_us; /* of events in [after, before); INSTANT_NONE, INSTANT_NEVER: any */
};
/* Lists struct delivery of an endpoint, newest first. */
enum db_result delivery_list(struct db *db, const struct webhook *webhook, const struct delivery_filter *filter,
                             const struct page *page, struct arena *arena, struct listing *out);

/* Lists the deliveries of all endpoints of an organisation. If more follow, the total may be too low. */
enum db_result delivery_list_all(struct db *db, int64_t organization_id, const struct delivery_filter *filter,
                                 const struct page *page, struct arena *arena, struct listing *out);

/* Sends a delivery again at once, whether it was delivered or given up, with as many tries as a new one. A waiting
 * delivery is tried at once. */
enum db_result delivery_again(struct db *db, int64_t delivery, int64_t now_us);

/* Sends failed deliveries again, and events that the endpoint subscribes to but never got, of published events
 * since an instant. Needs the endpoint's lock. At most `max`, the oldest first. `count`: how many. */
enum db_result delivery_again_failed(struct db *db, const struct webhook *webhook, int64_t since_us, int64_t max,
                                     int64_t now_us, int64_t *count);
enum db_result delivery_make_missing(struct db *db, const struct webhook *webhook, int64_t organization_id,
                                     int64_t since_us, int64_t max, int64_t now_us, int64_t *count);

#endif
