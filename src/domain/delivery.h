/* An event on its way to an endpoint, and its tries. */
#ifndef DOMAIN_DELIVERY_H
#define DOMAIN_DELIVERY_H

#include <stdint.h>

#include "base/uuid.h"
#include "domain/event.h"

struct delivery {
	int64_t id;
	struct uuid event_id; /* the webhook-id of every try */
	struct uuid webhook_id;
	enum event type;
	enum delivery_status status;
	int64_t tries;        /* since it was made, or was last asked for again */
	int response_code;    /* of the latest try; 0: none yet, or no answer */
	const char *error;
	int64_t wake_at_us;   /* while it waits: the next try, or when that under way is given up */
	int64_t created_at_us; /* of the event */
	const char *data;     /* of the event; NULL in lists */
};

struct delivery_try {
	int64_t at_us, duration_ms;
	int response_code;
	const char *error, *excerpt;
};

/* The public id: the time and the version of its event's, and the row. So it needs no column and no index of its
 * own; whoever looks it up compares the first half. */
struct uuid delivery_id(const struct uuid *event_id, int64_t row);
int64_t delivery_row(const struct uuid *id);

#endif
