#include "scheduler/deliver.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config.h"
#include "domain/signature.h"
#include "scheduler/connection.h"

#define MAX_REPLY (64 * 1024)
#define MAX_HEADERS (64 * 1024)
#define MAX_RETRY_AFTER_S 86400
#define LINGER_US US_PER_SECOND
#define RESERVE 8 /* so many parts has the whole of which one is kept free of those that linger */

/* Transfers under way to one endpoint, of one kind. */
struct load {
	enum deliver_kind kind;
	int64_t endpoint;
	int count;
};

/* The slots of one kind. */
struct lane {
	int limit, count;
	int doubtful_limit, doubtful_count;
	struct slot *oldest, *newest; /* under way to endpoints that are not doubtful, by their start */
};

struct slot {
	struct slot *next; /* in the list of free, waiting or ended slots */
	struct slot *older, *newer; /* in the lane */
	int64_t began_us;  /* monotonic */
	int64_t begin_us;  /* monotonic: when it is to begin */
	int64_t begin_before_us, judged_us; /* as in the order */
	size_t header_len; /* of the answer, so far */
	bool is_full;      /* the reply is longer than we keep */
	CURL *curl;
	struct curl_slist *headers;
	struct buf body, reply;
	struct load *load;
	struct deliver_result result;
	char error[CURL_ERROR_SIZE];
	struct connection connection;
};

struct deliver {
	CURLM *multi;
	struct slot *slots, *free, *ended, *handed_out;
	struct slot *waiting; /* for the instant at which they begin, by that instant */
	struct load *loads; /* one per slot is enough; those with count 0 are free */
	int load_count;     /* so many were ever used */
	struct lane lanes[DELIVER_KIND__MAX];
	int count, free_count, ended_count;
};

/* A reply is read up to the limit; then the transfer is ended, and the answer counts as it came. */
static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	size_t len = size * count, room = MAX_REPLY - slot->reply.len;

	buf_add(&slot->reply, data, len < room ? len : room);
	slot->is_full = len > room;
	return slot->is_full ? 0 : len;
}

static size_t receive_header(char *data, size_t size, size_t count, void *context)
{
	struct slot *slot = context;

	(void)data;
	slot->header_len += size * count;
	return slot->header_len <= MAX_HEADERS ? size * count : 0;
}

static void slot_open(struct slot *slot, const struct conf *conf)
{
	slot->curl = curl_easy_init();
	if (slot->curl == NULL)
		fatal("libcurl: out of memory");
	connection_prepare(&slot->connection, slot->curl, conf);
	curl_easy_setopt(slot->curl, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(slot->curl, CURLOPT_ERRORBUFFER, slot->error);
	curl_easy_setopt(slot->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(slot->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)conf->webhook_connect_timeout_seconds * 1000);
	curl_easy_setopt(slot->curl, CURLOPT_TIMEOUT_MS, (long)conf->webhook_timeout_seconds * 1000);
	curl_easy_setopt(slot->curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(slot->curl, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(slot->curl, CURLOPT_HEADERFUNCTION, receive_header);
	curl_easy_setopt(slot->curl, CURLOPT_HEADERDATA, slot);
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(slot->curl, CURLOPT_QUICK_EXIT, 1L); /* else a name server that hangs stops the loop */
#endif
	curl_easy_setopt(slot->curl, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(slot->curl, CURLOPT_BUFFERSIZE, 16384L);
}

void deliver_error(const struct deliver_result *result, char *out, size_t size)
{
	struct buf text = { 0 };

	utf8_excerpt(&text, result->error, strlen(result->error), size - 1); /* it may quote what came */
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

static void share_out(struct deliver *deliver, int slots)
{
	deliver->lanes[DELIVER_CALL].limit = slots - slots / 8;
	deliver->lanes[DELIVER_CALL].doubtful_limit = at_least_one(slots / 4);
	deliver->lanes[DELIVER_EVENT].limit = at_least_one(slots / 2);
	deliver->lanes[DELIVER_EVENT].doubtful_limit = at_least_one(slots / 8);
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
	share_out(deliver, slots);
	for (int i = 0; i < slots; i++) {
		slot_open(&deliver->slots[i], conf);
		deliver->slots[i].next = deliver->free;
		deliver->free = &deliver->slots[i];
	}
	/* Fewer kept connections than transfers would close one after every answer. */
	curl_multi_setopt(deliver->multi, CURLMOPT_MAXCONNECTS, (long)slots + 16);
	return deliver;
}

void deliver_free(struct deliver *deliver)
{
	if (deliver == NULL)
		return;
	for (int i = 0; i < deliver->count; i++) {
		struct slot *slot = &deliver->slots[i];

		curl_multi_remove_handle(deliver->multi, slot->curl);
		curl_easy_cleanup(slot->curl);
		curl_slist_free_all(slot->headers);
		buf_free(&slot->body);
		buf_free(&slot->reply);
	}
	curl_multi_cleanup(deliver->multi);
	curl_global_cleanup();
	free(deliver->loads);
	free(deliver->slots);
	free(deliver);
}

static int min_int(int a, int b)
{
	return a < b ? a : b;
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

/* NULL: nothing of this kind is under way to this endpoint. */
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

/* With `room` more it has at most three times what is left then. */
int deliver_room_at(const struct deliver *deliver, const struct deliver_place *place,
                    const struct deliver_taken *taken)
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

static void add_header(struct slot *slot, const char *line)
{
	struct curl_slist *headers = curl_slist_append(slot->headers, line);

	if (headers == NULL)
		fatal("out of memory");
	slot->headers = headers;
}

static bool sign(struct buf *out, const struct deliver_order *order, const struct signed_message *message)
{
	struct signing_secrets secrets;
	bool opened = secrets_open(&secrets, &order->owner, order->secret, order->secret_len);

	if (opened)
		signature_write(out, &secrets, message);
	crypto_forget(&secrets, sizeof secrets);
	return opened;
}

/* False: it cannot be signed. */
static bool set_headers(struct slot *slot, const struct deliver_order *order)
{
	int64_t timestamp_s = clock_now_us() / US_PER_SECOND;
	struct buf signature = { 0 };
	char id[UUID_TEXT], line[128];
	bool is_signed;

	uuid_format(&order->id, id);
	curl_slist_free_all(slot->headers);
	slot->headers = NULL;
	add_header(slot, "Content-Type: application/json");
	add_header(slot, "Expect:");
	snprintf(line, sizeof line, "webhook-id: %s", id);
	add_header(slot, line);
	snprintf(line, sizeof line, "webhook-timestamp: %lld", (long long)timestamp_s);
	add_header(slot, line);
	buf_puts(&signature, "webhook-signature: ");
	is_signed = sign(&signature, order,
	                 &(struct signed_message){ id, timestamp_s, slot->body.data, slot->body.len });
	add_header(slot, signature.data);
	buf_free(&signature);
	curl_easy_setopt(slot->curl, CURLOPT_HTTPHEADER, slot->headers);
	return is_signed;
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
	slot->header_len = 0;
	slot->is_full = false;
	slot->error[0] = '\0';
	buf_reset(&slot->body);
	buf_reset(&slot->reply);
	buf_add(&slot->body, order->body->data, order->body->len);
	slot->result = (struct deliver_result){
		.place = order->place, .id = order->id, .reference = order->reference, .tries = order->tries,
		.probe = order->probe, .watched = order->watched, .pressed = order->pressed,
		.started_at_us = clock_now_us(), .error = slot->error, .body = &slot->reply,
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

/* Nothing leaves without a right signature: this one has ended before it began, and is tried again as any other. */
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

static bool is_too_late(const struct slot *slot)
{
	return (slot->judged_us != 0 && clock_mono_us() - slot->judged_us > DELIVER_JUDGED_US) ||
	       (slot->begin_before_us != 0 && clock_now_us() >= slot->begin_before_us);
}

static void begin(struct deliver *deliver, struct slot *slot)
{
	slot->result.unbegun = is_too_late(slot);
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
	connection_begin(&slot->connection, order->url);
	if (!set_headers(slot, order)) {
		end_unsigned(deliver, slot, order);
		return;
	}
	curl_easy_setopt(slot->curl, CURLOPT_URL, order->url);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDSIZE, (long)slot->body.len);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDS, slot->body.data);
	if (slot->begin_us > clock_mono_us())
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

static void end_transfer(struct deliver *deliver, CURL *curl, CURLcode code)
{
	struct slot *slot;
	curl_off_t retry_after_s = 0;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &slot);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	slot->result.status = code == CURLE_OK || slot->is_full ? (int)status : 0;
	if (status == 429 || status == 503)
		slot->result.retry_after_us = (retry_after_s < MAX_RETRY_AFTER_S ? retry_after_s : MAX_RETRY_AFTER_S) *
		                              US_PER_SECOND;
	if (slot->result.status != 0)
		slot->error[0] = '\0'; /* it was we who ended it */
	else if (slot->connection.refused) /* whatever it is: one that is probed learns nothing of it */
		snprintf(slot->error, sizeof slot->error, "webhooks may not go to the address that this leads to");
	else if (slot->header_len > MAX_HEADERS || code == CURLE_OUT_OF_MEMORY) /* so libcurl calls one line that is too long */
		snprintf(slot->error, sizeof slot->error, "the answer's headers are longer than 64 KiB");
	else if (slot->error[0] == '\0')
		snprintf(slot->error, sizeof slot->error, "%s", curl_easy_strerror(code));
	end_slot(deliver, slot);
}

/* Too little is left for those who answer at once. */
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

/* Ended transfers are read directly after they were moved on: polling first would let them wait. */
static void move_on(struct deliver *deliver)
{
	CURLMsg *message;
	int running, left;

	curl_multi_perform(deliver->multi, &running);
	while ((message = curl_multi_info_read(deliver->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			end_transfer(deliver, message->easy_handle, message->data.result);
	make_room(deliver);
}

/* Up to when the next request is to begin. */
static int wait_at_most(const struct deliver *deliver, int wait_ms)
{
	int64_t ahead_us = deliver->waiting != NULL ? deliver->waiting->begin_us - clock_mono_us() : INT64_MAX;

	if (ahead_us > wait_ms * US_PER_MS)
		return wait_ms;
	return ahead_us <= 0 ? 0 : (int)((ahead_us + US_PER_MS - 1) / US_PER_MS);
}

void deliver_run(struct deliver *deliver, int fd, int wait_ms)
{
	struct curl_waitfd also = { .fd = fd, .events = CURL_WAIT_POLLIN };

	begin_due(deliver);
	move_on(deliver);
	if (deliver->ended != NULL || wait_ms == 0)
		return;
	curl_multi_poll(deliver->multi, &also, fd >= 0, wait_at_most(deliver, wait_ms), NULL);
	begin_due(deliver);
	move_on(deliver);
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
