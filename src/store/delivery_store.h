/* Deliveries for reading, and sending them again. How they are made: event_store.h, how they are sent:
 * scheduler/outbox.h. Strings and lists live in the arena. */
#ifndef STORE_DELIVERY_STORE_H
#define STORE_DELIVERY_STORE_H

#include "domain/delivery.h"
#include "domain/webhook.h"
#include "store/db.h"
#include "store/page.h"

/* DB_NOT_FOUND: no such delivery in this organisation. */
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
/* Those of these (a column `id`) that wait and whose endpoints are there; of struct outgoing_delivery. */
enum db_result deliveries_load(struct db *db, struct rows *deliveries, struct arena *arena, struct db_rows *rows);

struct delivery_filter {
	int status, type;           /* -1: any */
	int64_t after_us, before_us; /* of events in [after, before); INSTANT_NONE, INSTANT_NEVER: any */
};
/* Of an endpoint, newest first; of struct delivery. */
enum db_result delivery_list(struct db *db, const struct webhook *webhook, const struct delivery_filter *filter,
                             const struct page *page, struct arena *arena, struct listing *out);

/* The same of all endpoints of an organisation. When more follow, the total is a lower bound. */
enum db_result delivery_list_all(struct db *db, int64_t organization_id, const struct delivery_filter *filter,
                                 const struct page *page, struct arena *arena, struct listing *out);

/* The latest first, at most 100; of struct delivery_try. The second: those in which a dialer did not take a call. */
enum db_result delivery_tries(struct db *db, int64_t delivery, struct arena *arena, struct listing *out);
enum db_result call_tries(struct db *db, const struct uuid *call_id, struct arena *arena, struct listing *out);

/* Whether it was delivered or given up, it is sent again, now, with as many tries as a new one. One that waits is
 * tried now. */
enum db_result delivery_again(struct db *db, int64_t delivery, int64_t now_us);

/* The same for what was given up and what never was made a delivery, of published events since an instant that
 * the endpoint subscribes to; at most `max`, the oldest first; under the endpoint's lock. `count`: how many. */
enum db_result delivery_again_failed(struct db *db, const struct webhook *webhook, int64_t since_us, int64_t max,
                                     int64_t now_us, int64_t *count);
enum db_result delivery_make_missing(struct db *db, const struct webhook *webhook, int64_t organization_id,
                                     int64_t since_us, int64_t max, int64_t now_us, int64_t *count);

#endif
