/* The events that Outdial sends, and the states of a delivery. The numbers are stored: webhook_endpoints.events is a
 * bit set of events, deliveries.status a delivery_status. */
#ifndef DOMAIN_EVENT_H
#define DOMAIN_EVENT_H

enum event {
	EVENT_CALL_REQUESTED, /* to the agent's dialer alone */
	EVENT_AGENT_SYNC,     /* to the agent's dialer alone */
	EVENT_BATCH_STATUS_CHANGED,
	EVENT_BATCH_COMPLETED,
	EVENT_CALL_STARTED,
	EVENT_CALL_ENDED,
	EVENT_CALL_FAILED,
	EVENT_WEBHOOK_TEST,     /* to the endpoint that is tested alone */
	EVENT_WEBHOOK_DISABLED, /* made by Outdial: the endpoint was gone, or failed for days */
	EVENT__MAX
};

#define EVENT_BIT(event) (1u << (event))

/* The events that go to subscribers. Each of the others is meant for one receiver. */
#define EVENTS_PUBLISHED \
	(EVENT_BIT(EVENT_BATCH_STATUS_CHANGED) | EVENT_BIT(EVENT_BATCH_COMPLETED) | EVENT_BIT(EVENT_CALL_STARTED) | \
	 EVENT_BIT(EVENT_CALL_ENDED) | EVENT_BIT(EVENT_CALL_FAILED) | EVENT_BIT(EVENT_WEBHOOK_DISABLED))

extern const char *const event_names[EVENT__MAX + 1]; /* NULL-terminated */

enum delivery_status { DELIVERY_WAITING, DELIVERY_DELIVERED, DELIVERY_FAILED, DELIVERY_STATUS__MAX };

extern const char *const delivery_status_names[DELIVERY_STATUS__MAX + 1]; /* NULL-terminated */

#endif
