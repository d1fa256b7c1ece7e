/* Inner side of scheduler/deliver.h: a slot, with the one request that it sends at a time. */
#ifndef SCHEDULER_DELIVER_SLOT_H
#define SCHEDULER_DELIVER_SLOT_H

#include <curl/curl.h>

#include "scheduler/connection.h"
#include "scheduler/deliver.h"

#define STALL_US US_PER_SECOND

/* Transfers in progress to one endpoint, of one kind. */
struct load {
	enum deliver_kind kind;
	int64_t endpoint;
	int count;
};

/* The last time in which the process did not drive its transfers for longer than STALL_US; monotonic. */
struct stall {
	int64_t from_us, until_us;
};

struct slot {
	struct slot *next;                  /* in the list of free, waiting or ended slots */
	struct slot *older, *newer;         /* in the lane */
	int64_t began_us;                   /* monotonic */
	int64_t begin_us;                   /* monotonic: when it is to begin */
	int64_t begin_before_us, judged_us; /* as in the order */
	size_t header_len;                  /* of the answer, so far */
	bool is_full;                       /* the reply is longer than we keep */
	bool is_sent;                       /* libcurl began to send it */
	const struct stall *stall;
	CURL *curl;
	struct curl_slist *headers;
	struct buf body, reply;
	struct load *load;
	struct deliver_result result;
	char error[CURL_ERROR_SIZE];
	struct connection connection;
};

void slot_open(struct slot *slot, const struct conf *conf, const struct stall *stall);
void slot_close(struct slot *slot);

/* Makes the request of an order, and signs it. Returns false if it cannot be signed. */
bool slot_prepare(struct slot *slot, const struct deliver_order *order);

/* Returns whether the request must be judged again before it is sent. */
bool slot_is_too_late(const struct slot *slot);

/* Writes the outcome of a request that libcurl ended into the slot's result. */
void slot_finish(struct slot *slot, CURLcode code);

#endif
