/* What an organisation has under way, for reading at a glance. Everything is counted in indexes, and counting ends
 * somewhere: it costs little whatever there is. */
#ifndef STORE_OVERVIEW_STORE_H
#define STORE_OVERVIEW_STORE_H

#include "domain/analytics.h"
#include "domain/webhook.h"
#include "store/db.h"

#define OVERVIEW_COUNTED_MAX 10000 /* as in statements/webhooks.def */
#define OVERVIEW_WEBHOOKS_MAX 20

struct overview {
	int64_t calls_in_flight;
	int64_t places;             /* of the active campaigns, the first OVERVIEW_COUNTED_MAX of them */
	int64_t deliveries_waiting;
	int64_t deliveries_failed;  /* of events since an instant */
	/* Ascending: what ended of the calls that campaigns placed in a stretch of time, the first 1,000 in each state. */
	const struct quarter *quarters;
	size_t quarter_count;
	const struct webhook *webhooks; /* switched off, or with a circuit that is not closed; the newest */
	size_t webhook_count;
};

/* Quarters from the one until the other; failed deliveries of events since `failed_since_us`. */
enum db_result overview_load(struct db *db, int64_t organization_id, int64_t from_us, int64_t until_us,
                             int64_t failed_since_us, struct arena *arena, struct overview *out);

#endif
