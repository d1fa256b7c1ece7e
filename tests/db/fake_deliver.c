#include "fake_deliver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
	struct deliver_result result;
	struct deliver_order order;
	struct buf sent, received;
};

struct deliver {
	int room, count, ended_count, given;
	struct transfer under_way[FAKE_SLOTS], ended[FAKE_SLOTS];
};

struct deliver *deliver_new(const struct conf *conf)
{
	struct deliver *deliver = calloc(1, sizeof *deliver);

	(void)conf;
	assert(deliver != NULL);
	deliver->room = FAKE_SLOTS;
	return deliver;
}

static void release(struct transfer *transfer)
{
	buf_free(&transfer->sent);
	buf_free(&transfer->received);
}

static void drop_ended(struct deliver *deliver)
{
	for (int i = 0; i < deliver->ended_count; i++)
		release(&deliver->ended[i]);
	deliver->ended_count = deliver->given = 0;
}

void deliver_free(struct deliver *deliver)
{
	for (int i = 0; i < deliver->count; i++)
		release(&deliver->under_way[i]);
	drop_ended(deliver);
	free(deliver);
}

void fake_set_room(struct deliver *deliver, int room)
{
	deliver->room = room;
}

int deliver_free_slots(const struct deliver *deliver, enum deliver_kind kind)
{
	(void)kind;
	return FAKE_SLOTS - deliver->count;
}

int deliver_free_doubtful(const struct deliver *deliver, enum deliver_kind kind)
{
	return deliver_free_slots(deliver, kind);
}

int deliver_room_at(const struct deliver *deliver, const struct deliver_place *place, const struct deliver_taken *taken)
{
	int room = deliver->room - taken->same, slots = FAKE_SLOTS - deliver->count - taken->all;

	for (int i = 0; i < deliver->count; i++)
		room -= deliver->under_way[i].result.place.endpoint == place->endpoint;
	room = room < slots ? room : slots;
	return room > 0 ? room : 0;
}

int deliver_in_flight(const struct deliver *deliver)
{
	return deliver->count;
}

void deliver_start(struct deliver *deliver, const struct deliver_order *order)
{
	struct transfer *transfer = &deliver->under_way[deliver->count++];

	assert(deliver->count <= FAKE_SLOTS);
	*transfer = (struct transfer){ .result = {
		.place = order->place, .id = order->id, .reference = order->reference, .tries = order->tries,
		.probe = order->probe, .watched = order->watched, .pressed = order->pressed, .error = "",
		.since_us = order->since_us, .started_at_us = order->begin_at_us,
	}, .order = *order };
	transfer->order.url = NULL;
	transfer->order.secret = NULL;
	transfer->order.body = NULL;
	buf_add(&transfer->sent, order->body->data, order->body->len);
}

const struct deliver_result *fake_sent(const struct deliver *deliver, int n)
{
	assert(n < deliver->count);
	return &deliver->under_way[n].result;
}

const char *fake_body(const struct deliver *deliver, int n)
{
	assert(n < deliver->count);
	return buf_text(&deliver->under_way[n].sent);
}

const struct deliver_order *fake_order(const struct deliver *deliver, int n)
{
	assert(n < deliver->count);
	return &deliver->under_way[n].order;
}

static struct transfer *end(struct deliver *deliver, int n)
{
	struct transfer *ended = &deliver->ended[deliver->ended_count++];

	assert(n < deliver->count && deliver->ended_count <= FAKE_SLOTS);
	*ended = deliver->under_way[n];
	memmove(&deliver->under_way[n], &deliver->under_way[n + 1],
	        (size_t)(--deliver->count - n) * sizeof *deliver->under_way);
	ended->result.duration_us = 1000;
	return ended;
}

void fake_answer(struct deliver *deliver, int n, int status, int64_t retry_after_us, const char *body)
{
	struct transfer *ended = end(deliver, n);

	ended->result.status = status;
	ended->result.retry_after_us = retry_after_us;
	buf_puts(&ended->received, body);
}

void fake_silence(struct deliver *deliver, int n)
{
	end(deliver, n)->result.error = "Timeout was reached";
}

void fake_leave_unbegun(struct deliver *deliver, int n)
{
	end(deliver, n)->result.unbegun = true;
}

void deliver_error(const struct deliver_result *result, char *out, size_t size)
{
	if (result->status != 0)
		snprintf(out, size, "HTTP %d", result->status);
	else
		snprintf(out, size, "%s", result->error);
}

void deliver_run(struct deliver *deliver, int fd, int wait_ms)
{
	(void)deliver;
	(void)fd;
	(void)wait_ms;
}

bool deliver_next(struct deliver *deliver, struct deliver_result *result)
{
	if (deliver->given == deliver->ended_count) {
		drop_ended(deliver);
		return false;
	}
	*result = deliver->ended[deliver->given].result;
	result->body = &deliver->ended[deliver->given++].received;
	return true;
}
