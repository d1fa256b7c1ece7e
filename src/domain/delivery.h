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
	int64_t tries;     /* since it was made, or last sent again by a client */
	int response_code; /* of the latest try; 0: none yet, or no answer */
	const char *error;
	int64_t wake_at_us;    /* while it waits: when the next try is made, or when the present try is given up */
	int64_t created_at_us; /* of the event */
	const char *data;      /* of the event; NULL in lists */
};

struct delivery_try {
	int64_t at_us, duration_ms;
	int response_code;
	const char *error, *excerpt;
};

/* Returns the public id: the time and version of the event's id, and the row. So it needs no column and no index. A
 * lookup finds the row and compares the first half. */
struct uuid delivery_id(const struct uuid *event_id, int64_t row);
int64_t delivery_row(const struct uuid *id);

#endif
