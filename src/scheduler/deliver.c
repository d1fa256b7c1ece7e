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

#define CONNECT_TIMEOUT_MS 5000L
#define TIMEOUT_MS 15000L
#define MAX_REPLY (64 * 1024)
#define MAX_RETRY_AFTER_S 86400

/* Transfers under way to one endpoint. */
struct load {
	int64_t endpoint;
	int count;
};

struct slot {
	struct slot *next; /* in the list of free or of ended slots */
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
	struct load *loads; /* one per slot is enough; those with count 0 are free */
	int load_count;     /* so many were ever used */
	int count, free_count, share;
};

/* What exceeds the limit is read and dropped. */
static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	size_t len = size * count, room = MAX_REPLY - slot->reply.len;

	buf_add(&slot->reply, data, len < room ? len : room);
	return len;
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
	curl_easy_setopt(slot->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(slot->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(slot->curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(slot->curl, CURLOPT_WRITEDATA, slot);
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

struct deliver *deliver_new(int slots, const struct conf *conf)
{
	struct deliver *deliver = calloc(1, sizeof *deliver);

	if (deliver == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		fatal("libcurl does not start");
	deliver->multi = curl_multi_init();
	deliver->slots = calloc((size_t)slots, sizeof *deliver->slots);
	deliver->loads = calloc((size_t)slots, sizeof *deliver->loads);
	if (deliver->multi == NULL || deliver->slots == NULL || deliver->loads == NULL)
		fatal("out of memory");
	deliver->count = deliver->free_count = slots;
	deliver->share = (slots + 3) / 4;
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

int deliver_free_slots(const struct deliver *deliver)
{
	return deliver->free_count;
}

/* NULL: nothing is under way to this endpoint. */
static struct load *find_load(const struct deliver *deliver, int64_t endpoint)
{
	for (int i = 0; i < deliver->load_count; i++)
		if (deliver->loads[i].count != 0 && deliver->loads[i].endpoint == endpoint)
			return &deliver->loads[i];
	return NULL;
}

static struct load *new_load(struct deliver *deliver, int64_t endpoint)
{
	int i = 0;

	while (i < deliver->load_count && deliver->loads[i].count != 0)
		i++;
	if (i == deliver->load_count)
		deliver->load_count++;
	deliver->loads[i].endpoint = endpoint;
	return &deliver->loads[i];
}

int deliver_room_at(const struct deliver *deliver, int64_t endpoint)
{
	const struct load *load = find_load(deliver, endpoint);
	int room = deliver->share - (load != NULL ? load->count : 0);

	return room < deliver->free_count ? room : deliver->free_count;
}

int deliver_full_endpoints(const struct deliver *deliver, int64_t *out)
{
	int full = 0;

	for (int i = 0; i < deliver->load_count; i++)
		if (deliver->loads[i].count >= deliver->share)
			out[full++] = deliver->loads[i].endpoint;
	return full;
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

/* Nothing leaves without a right signature: this one has ended before it began, and is tried again as any other. */
static void end_unsigned(struct deliver *deliver, struct slot *slot, const struct deliver_order *order)
{
	char endpoint[UUID_TEXT];

	uuid_format(&order->owner, endpoint);
	log_error("the secret of a webhook endpoint cannot be opened with the keys of secret_key_file endpoint=%s",
	          endpoint);
	snprintf(slot->error, sizeof slot->error, "the secret of this endpoint cannot be opened");
	slot->load->count--;
	slot->next = deliver->ended;
	deliver->ended = slot;
}

void deliver_start(struct deliver *deliver, const struct deliver_order *order)
{
	struct slot *slot = deliver->free;

	assert(slot != NULL);
	deliver->free = slot->next;
	deliver->free_count--;
	slot->load = find_load(deliver, order->endpoint);
	if (slot->load == NULL)
		slot->load = new_load(deliver, order->endpoint);
	slot->load->count++;
	buf_reset(&slot->body);
	buf_reset(&slot->reply);
	slot->error[0] = '\0';
	buf_add(&slot->body, order->body->data, order->body->len);
	slot->result = (struct deliver_result){
		.kind = order->kind, .id = order->id, .reference = order->reference, .tries = order->tries,
		.started_at_us = clock_now_us(),
		.error = slot->error, .body = &slot->reply,
	};
	connection_begin(&slot->connection, order->url);
	if (!set_headers(slot, order)) {
		end_unsigned(deliver, slot, order);
		return;
	}
	curl_easy_setopt(slot->curl, CURLOPT_URL, order->url);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDSIZE, (long)slot->body.len);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDS, slot->body.data);
	curl_multi_add_handle(deliver->multi, slot->curl);
}

static void end_transfer(struct deliver *deliver, CURL *curl, CURLcode code)
{
	struct slot *slot;
	curl_off_t retry_after_s = 0, duration_us = 0;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &slot);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &duration_us);
	curl_multi_remove_handle(deliver->multi, curl);
	slot->result.duration_us = duration_us;
	slot->result.status = code == CURLE_OK ? (int)status : 0;
	if (status == 429 || status == 503)
		slot->result.retry_after_us = (retry_after_s < MAX_RETRY_AFTER_S ? retry_after_s : MAX_RETRY_AFTER_S) *
		                              US_PER_SECOND;
	slot->load->count--;
	if (code != CURLE_OK && slot->connection.refused) /* whatever it is: one that is probed learns nothing of it */
		snprintf(slot->error, sizeof slot->error, "webhooks may not go to the address that this leads to");
	else if (code != CURLE_OK && slot->error[0] == '\0')
		snprintf(slot->error, sizeof slot->error, "%s", curl_easy_strerror(code));
	slot->next = deliver->ended;
	deliver->ended = slot;
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
}

void deliver_run(struct deliver *deliver, int wait_ms)
{
	move_on(deliver);
	if (deliver->ended != NULL || wait_ms == 0)
		return;
	curl_multi_poll(deliver->multi, NULL, 0, wait_ms, NULL);
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
	deliver->handed_out = slot;
	*result = slot->result;
	return true;
}
