#include "scheduler/deliver_slot.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "config.h"
#include "domain/signature.h"

#define MAX_REPLY (64 * 1024)
#define MAX_HEADERS (64 * 1024)
#define MAX_RETRY_AFTER_S 86400

/* Reads a reply up to the limit. Then the transfer is ended, and the answer counts. */
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

static bool is_over(const struct slot *slot)
{
	return slot->begin_before_us != 0 && clock_now_us() >= slot->begin_before_us;
}

bool slot_is_too_late(const struct slot *slot)
{
	return (slot->judged_us != 0 && clock_mono_us() - slot->judged_us > DELIVER_JUDGED_US) || is_over(slot);
}

/* Returns whether the process did nothing for it for so long that the request must be judged again. */
static bool has_stalled(const struct slot *slot)
{
	int64_t from_us = slot->began_us > slot->stall->from_us ? slot->began_us : slot->stall->from_us;

	return slot->judged_us != 0 && slot->stall->until_us - from_us > STALL_US;
}

/* libcurl asks when the connection is there, just before it sends the request. The process may have been stopped since
 * the start, or have waited for the database. */
static int before_request(void *context, char *peer, char *local, int peer_port, int local_port)
{
	struct slot *slot = context;

	(void)peer, (void)local, (void)peer_port, (void)local_port;
	if (is_over(slot) || has_stalled(slot)) {
		slot->result.unbegun = !slot->is_sent; /* it may have been sent on a connection that broke */
		return CURL_PREREQFUNC_ABORT;
	}
	slot->is_sent = true;
	return CURL_PREREQFUNC_OK;
}

void slot_open(struct slot *slot, const struct conf *conf, const struct stall *stall)
{
	slot->stall = stall;
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
	curl_easy_setopt(slot->curl, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(slot->curl, CURLOPT_PREREQDATA, slot);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* otherwise a name server that hangs would stop the loop */
	curl_easy_setopt(slot->curl, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(slot->curl, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(slot->curl, CURLOPT_BUFFERSIZE, 16384L);
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
	is_signed = sign(&signature, order, &(struct signed_message){ id, timestamp_s, slot->body.data, slot->body.len });
	add_header(slot, signature.data);
	buf_free(&signature);
	curl_easy_setopt(slot->curl, CURLOPT_HTTPHEADER, slot->headers);
	return is_signed;
}

bool slot_prepare(struct slot *slot, const struct deliver_order *order)
{
	slot->header_len = 0;
	slot->is_full = false;
	slot->is_sent = false;
	slot->error[0] = '\0';
	buf_reset(&slot->body);
	buf_reset(&slot->reply);
	buf_add(&slot->body, order->body->data, order->body->len);
	connection_begin(&slot->connection, order->url);
	curl_easy_setopt(slot->curl, CURLOPT_URL, order->url);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDSIZE, (long)slot->body.len);
	curl_easy_setopt(slot->curl, CURLOPT_POSTFIELDS, slot->body.data);
	return set_headers(slot, order);
}

void slot_finish(struct slot *slot, CURLcode code)
{
	curl_off_t retry_after_s = 0;
	long status = 0;

	curl_easy_getinfo(slot->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(slot->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	slot->result.status = code == CURLE_OK || slot->is_full ? (int)status : 0;
	if (status == 429 || status == 503)
		slot->result.retry_after_us = (retry_after_s < MAX_RETRY_AFTER_S ? retry_after_s : MAX_RETRY_AFTER_S) *
		                              US_PER_SECOND;
	if (slot->result.status != 0)
		slot->error[0] = '\0';         /* Outdial ended it itself */
	else if (slot->connection.refused) /* no details, so that nobody can probe the network */
		snprintf(slot->error, sizeof slot->error, "the URL leads to an address that webhooks may not go to");
	else if (slot->header_len > MAX_HEADERS ||
	         code == CURLE_OUT_OF_MEMORY) /* so libcurl calls one line that is too long */
		snprintf(slot->error, sizeof slot->error, "the answer's headers are longer than 64 KiB");
	else if (slot->error[0] == '\0')
		snprintf(slot->error, sizeof slot->error, "%s", curl_easy_strerror(code));
}

void slot_close(struct slot *slot)
{
	curl_easy_cleanup(slot->curl);
	curl_slist_free_all(slot->headers);
	buf_free(&slot->body);
	buf_free(&slot->reply);
}
