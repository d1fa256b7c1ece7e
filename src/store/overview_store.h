/* The overview of an organisation. Everything is counted in indexes, up to a limit, so it is always cheap. */
#ifndef STORE_OVERVIEW_STORE_H
#define STORE_OVERVIEW_STORE_H

#include "domain/analytics.h"
#include "domain/webhook.h"
#include "store/db.h"

#define OVERVIEW_WEBHOOKS_MAX 20

struct overview {
	int64_t calls_in_flight;
	int64_t places; /* of the active campaigns, the first OVERVIEW_COUNTED_MAX of them */
	int64_t deliveries_waiting;
	int64_t deliveries_failed; /* of events since an instant */
	/* Ascending: the ended calls that campaigns placed in a stretch of time, of the first 1,000 campaigns in each
	 * state. */
	const struct quarter *quarters;
	size_t quarter_count;
	const struct webhook *webhooks; /* the newest endpoints that are switched off, or whose circuit is not closed */
	size_t webhook_count;
};

/* Reads the quarters from the first until the second, and counts failed deliveries of events since `failed_since_us`.
 */
enum db_result overview_load(struct db *db, int64_t organization_id, int64_t from_us, int64_t until_us,
                             int64_t failed_since_us, struct arena *arena, struct overview *out);

#endif
