#include "scheduler/deliver_slot.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/least.h"
#include "base/log.h"
#include "base/utf8.h"

#define LINGER_US US_PER_SECOND
/* Looking at this many transfers takes longer than most statements. So the process first waits for the answer to the
 * statement alone, for ALONE_MS. */
#define MANY 100
#define ALONE_MS 1
#define RESERVE 8 /* one part in this many of all slots is kept free of slow webhooks */

/* The slots of one kind. */
struct lane {
	int limit, count;
	int doubtful_limit, doubtful_count;
	struct slot *oldest, *newest; /* in progress to endpoints that are not doubtful, by their start */
};

struct deliver {
	CURLM *multi;
	struct slot *slots, *free, *ended, *handed_out;
	struct slot *waiting; /* that wait for the instant at which they begin, in that order */
	struct load *loads;   /* one per slot is enough; a load with count 0 is free */
	int load_count;       /* the most slots that were ever used */
	int64_t driven_us;    /* monotonic: when it last drove the transfers */
	struct stall stall;
	struct lane lanes[DELIVER_KIND__MAX];
	int count, free_count, ended_count;
};

void deliver_error(const struct deliver_result *result, char *out, size_t size)
{
	struct buf text = { 0 };

	utf8_excerpt(&text, result->error, strlen(result->error), size - 1); /* libcurl's message may quote the answer */
	if (result->status != 0)
		snprintf(out, size, "the endpoint answered %d", result->status);
	else
		snprintf(out, size, "%s", buf_text(&text));
	buf_free(&text);
}

static int at_least_one(int slots)
{
	return slots > 0 ? slots : 1;
}

struct deliver *deliver_new(const struct conf *conf)
{
	struct deliver *deliver = calloc(1, sizeof *deliver);
	int slots = (int)conf->max_in_flight;

	if (deliver == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		fatal("libcurl does not start");
	deliver->multi = curl_multi_init();
	deliver->slots = calloc((size_t)slots, sizeof *deliver->slots);
	deliver->loads = calloc((size_t)slots, sizeof *deliver->loads);
	if (deliver->multi == NULL || deliver->slots == NULL || deliver->loads == NULL)
		fatal("out of memory");
	deliver->count = deliver->free_count = slots;
	deliver->lanes[DELIVER_CALL].limit = slots - slots / 8;
	deliver->lanes[DELIVER_CALL].doubtful_limit = at_least_one(slots / 4);
	deliver->lanes[DELIVER_EVENT].limit = at_least_one(slots / 2);
	deliver->lanes[DELIVER_EVENT].doubtful_limit = at_least_one(slots / 8);
	for (int i = 0; i < slots; i++) {
		slot_open(&deliver->slots[i], conf, &deliver->stall);
		deliver->slots[i].next = deliver->free;
		deliver->free = &deliver->slots[i];
	}
	/* With fewer kept connections than transfers, one would be closed after every answer. */
	curl_multi_setopt(deliver->multi, CURLMOPT_MAXCONNECTS, (long)slots + 16);
	return deliver;
}

void deliver_free(struct deliver *deliver)
{
	if (deliver == NULL)
		return;
	for (int i = 0; i < deliver->count; i++) {
		curl_multi_remove_handle(deliver->multi, deliver->slots[i].curl);
		slot_close(&deliver->slots[i]);
	}
	curl_multi_cleanup(deliver->multi);
	curl_global_cleanup();
	free(deliver->loads);
	free(deliver->slots);
	free(deliver);
}

int deliver_free_slots(const struct deliver *deliver, enum deliver_kind kind)
{
	return min_int(deliver->free_count, deliver->lanes[kind].limit - deliver->lanes[kind].count);
}

int deliver_free_doubtful(const struct deliver *deliver, enum deliver_kind kind)
{
	return min_int(deliver_free_slots(deliver, kind),
	               deliver->lanes[kind].doubtful_limit - deliver->lanes[kind].doubtful_count);
}

/* Returns NULL if no transfer of this kind to this endpoint is in progress. */
static struct load *find_load(const struct deliver *deliver, const struct deliver_place *place)
{
	for (int i = 0; i < deliver->load_count; i++)
		if (deliver->loads[i].count != 0 && deliver->loads[i].endpoint == place->endpoint &&
		    deliver->loads[i].kind == place->kind)
			return &deliver->loads[i];
	return NULL;
}

static struct load *new_load(struct deliver *deliver, const struct deliver_place *place)
{
	int i = 0;

	while (i < deliver->load_count && deliver->loads[i].count != 0)
		i++;
	if (i == deliver->load_count)
		deliver->load_count++;
	deliver->loads[i].endpoint = place->endpoint;
	deliver->loads[i].kind = place->kind;
	return &deliver->loads[i];
}

/* With `room` more slots an endpoint has at most three times the slots that would then be free. */
int deliver_room_at(const struct deliver *deliver, const struct deliver_place *place, const struct deliver_taken *taken)
{
	const struct load *load = find_load(deliver, place);
	int has = (load != NULL ? load->count : 0) + taken->same;
	int left = deliver_free_slots(deliver, place->kind) - taken->all;

	if (place->doubtful)
		left = min_int(left, deliver_free_doubtful(deliver, place->kind) - taken->doubtful);
	if (left <= 0)
		return 0;
	return 3 * left - has >= 4 ? (3 * left - has) / 4 : has == 0;
}

int deliver_in_flight(const struct deliver *deliver)
{
	return deliver->count - deliver->free_count;
}

static void enter_lane(struct lane *lane, struct slot *slot)
{
	lane->count++;
	slot->older = slot->newer = NULL;
	if (slot->result.place.doubtful) {
		lane->doubtful_count++;
		return;
	}
	slot->older = lane->newest;
	*(lane->newest != NULL ? &lane->newest->newer : &lane->oldest) = slot;
	lane->newest = slot;
}

static void leave_lane(struct lane *lane, struct slot *slot)
{
	lane->count--;
	if (slot->result.place.doubtful) {
		lane->doubtful_count--;
		return;
	}
	*(slot->older != NULL ? &slot->older->newer : &lane->oldest) = slot->newer;
	*(slot->newer != NULL ? &slot->newer->older : &lane->newest) = slot->older;
}

static void take_order(struct deliver *deliver, struct slot *slot, const struct deliver_order *order)
{
	slot->load = find_load(deliver, &order->place);
	if (slot->load == NULL)
		slot->load = new_load(deliver, &order->place);
	slot->load->count++;
	slot->began_us = clock_mono_us();
	slot->begin_us = slot->began_us + order->begin_at_us - clock_now_us();
	slot->begin_before_us = order->begin_before_us;
	slot->judged_us = order->judged_us;
	slot->result = (struct deliver_result){
		.place = order->place,
		.id = order->id,
		.reference = order->reference,
		.tries = order->tries,
		.probe = order->probe,
		.watched = order->watched,
		.pressed = order->pressed,
		.since_us = order->since_us,
		.started_at_us = clock_now_us(),
		.error = slot->error,
		.body = &slot->reply,
	};
	enter_lane(&deliver->lanes[order->place.kind], slot);
}

static void end_slot(struct deliver *deliver, struct slot *slot)
{
	curl_multi_remove_handle(deliver->multi, slot->curl);
	slot->result.duration_us = clock_mono_us() - slot->began_us;
	slot->load->count--;
	leave_lane(&deliver->lanes[slot->result.place.kind], slot);
	slot->next = deliver->ended;
	deliver->ended = slot;
	deliver->ended_count++;
}

/* Nothing is sent without a correct signature. This webhook ends before it began, and is tried again like any other. */
static void end_unsigned(struct deliver *deliver, struct slot *slot, const struct deliver_order *order)
{
	char endpoint[UUID_TEXT];

	uuid_format(&order->owner, endpoint);
	log_error("the secret of a webhook endpoint cannot be opened with the keys of secret_key_file endpoint=%s",
	          endpoint);
	snprintf(slot->error, sizeof slot->error, "the secret of this endpoint cannot be opened");
	slot->result.cut = true;
	end_slot(deliver, slot);
}

static void begin(struct deliver *deliver, struct slot *slot)
{
	slot->result.unbegun = slot_is_too_late(slot);
	slot->began_us = slot->result.unbegun ? slot->judged_us : clock_mono_us();
	slot->result.started_at_us = clock_now_us();
	if (slot->result.unbegun)
		end_slot(deliver, slot);
	else
		curl_multi_add_handle(deliver->multi, slot->curl);
}

static void wait_to_begin(struct deliver *deliver, struct slot *slot)
{
	struct slot **at = &deliver->waiting;

	while (*at != NULL && (*at)->begin_us <= slot->begin_us)
		at = &(*at)->next;
	slot->next = *at;
	*at = slot;
}

void deliver_start(struct deliver *deliver, const struct deliver_order *order)
{
	struct slot *slot = deliver->free;

	assert(slot != NULL);
	deliver->free = slot->next;
	deliver->free_count--;
	take_order(deliver, slot, order);
	if (!slot_prepare(slot, order))
		end_unsigned(deliver, slot, order);
	else if (slot->begin_us > clock_mono_us())
		wait_to_begin(deliver, slot);
	else
		begin(deliver, slot);
}

static void begin_due(struct deliver *deliver)
{
	while (deliver->waiting != NULL && deliver->waiting->begin_us <= clock_mono_us()) {
		struct slot *slot = deliver->waiting;

		deliver->waiting = slot->next;
		begin(deliver, slot);
	}
}

/* Too few slots are left for endpoints that answer quickly. */
static bool is_cramped(const struct deliver *deliver, const struct lane *lane)
{
	return lane->limit - lane->count < lane->limit / RESERVE ||
	       deliver->free_count + deliver->ended_count < deliver->count / RESERVE;
}

static void make_room(struct deliver *deliver)
{
	int64_t now_us = clock_mono_us();

	for (int kind = 0; kind < DELIVER_KIND__MAX; kind++) {
		struct lane *lane = &deliver->lanes[kind];

		while (is_cramped(deliver, lane) && lane->oldest != NULL && now_us - lane->oldest->began_us > LINGER_US) {
			struct slot *slot = lane->oldest;

			snprintf(slot->error, sizeof slot->error, "no answer, and its place was needed");
			slot->result.cut = true;
			end_slot(deliver, slot);
		}
	}
}

/* Ended transfers are read directly after curl_multi_perform: polling first would delay them. */
static void move_on(struct deliver *deliver)
{
	CURLMsg *message;
	int running, left;

	curl_multi_perform(deliver->multi, &running);
	while ((message = curl_multi_info_read(deliver->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE) {
			struct slot *slot;

			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
			slot_finish(slot, message->data.result);
			end_slot(deliver, slot);
		}
	make_room(deliver);
}

/* Returns how long to wait at most, because of the next request that begins. */
static int wait_at_most(const struct deliver *deliver, int wait_ms)
{
	int64_t ahead_us = deliver->waiting != NULL ? deliver->waiting->begin_us - clock_mono_us() : INT64_MAX;

	if (ahead_us > wait_ms * US_PER_MS)
		return wait_ms;
	return ahead_us <= 0 ? 0 : (int)((ahead_us + US_PER_MS - 1) / US_PER_MS);
}

/* The transfers should have waited so long at most. */
static void note_stall(struct deliver *deliver, int64_t meant_us)
{
	int64_t now_us = clock_mono_us();

	if (now_us - deliver->driven_us > meant_us + STALL_US) {
		deliver->stall = (struct stall){ deliver->driven_us, now_us };
	}
	deliver->driven_us = now_us;
}

static void wait_and_move_on(struct deliver *deliver, int fd, int wait_ms)
{
	struct curl_waitfd also = { .fd = fd, .events = CURL_WAIT_POLLIN };

	wait_ms = wait_at_most(deliver, wait_ms);
	curl_multi_poll(deliver->multi, &also, fd >= 0, wait_ms, NULL);
	note_stall(deliver, wait_ms * US_PER_MS);
	begin_due(deliver);
	move_on(deliver);
}

void deliver_run(struct deliver *deliver, int fd, int wait_ms)
{
	note_stall(deliver, 0);
	begin_due(deliver);
	move_on(deliver);
	if (deliver->ended == NULL && wait_ms != 0)
		wait_and_move_on(deliver, fd, wait_ms);
}

void deliver_go_on(struct deliver *deliver, int fd, int wait_ms)
{
	if (deliver_in_flight(deliver) > MANY && poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, ALONE_MS) > 0)
		return;
	note_stall(deliver, 0);
	begin_due(deliver);
	wait_and_move_on(deliver, fd, wait_ms);
}

bool deliver_next(struct deliver *deliver, struct deliver_result *result)
{
	struct slot *slot = deliver->ended;

	if (deliver->handed_out != NULL) {
		deliver->handed_out->next = deliver->free;
		deliver->free = deliver->handed_out;
		deliver->free_count++;
		deliver->handed_out = NULL;
	}
	if (slot == NULL)
		return false;
	deliver->ended = slot->next;
	deliver->ended_count--;
	deliver->handed_out = slot;
	*result = slot->result;
	return true;
}
