/* The HTTP client of scheduler/deliver.h without HTTP. It keeps the webhooks that were started. A test ends them with
 * the answer that it wants, in any order. */
#ifndef TESTS_FAKE_DELIVER_H
#define TESTS_FAKE_DELIVER_H

#include "scheduler/deliver.h"

#define FAKE_SLOTS 64

/* How many more webhooks one endpoint may have in progress; FAKE_SLOTS at first. */
void fake_set_room(struct deliver *deliver, int room);

/* A webhook in progress, by its number from 0. After an answer the later webhooks move up. */
const struct deliver_result *fake_sent(const struct deliver *deliver, int n);
const char *fake_body(const struct deliver *deliver, int n);
/* The order of the webhook, without its texts. */
const struct deliver_order *fake_order(const struct deliver *deliver, int n);

/* Ends the webhook with this answer of the receiver. `retry_after_us` 0: the receiver did not ask to wait. */
void fake_answer(struct deliver *deliver, int n, int status, int64_t retry_after_us, const char *body);
void fake_silence(struct deliver *deliver, int n);       /* no answer in time */
void fake_leave_unbegun(struct deliver *deliver, int n); /* no request was sent */

#endif
