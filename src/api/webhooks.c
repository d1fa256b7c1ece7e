#include "api/webhooks.h"

#include <stddef.h>
#include <string.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "domain/event.h"
#include "domain/signature.h"
#include "domain/target.h"
#include "store/health_store.h"
#include "store/webhook_store.h"

static const struct webhook webhook_initial = { .url = "", .description = "", .disabled_reason = "" };

FIELD_TABLE(webhook_fields, struct webhook, &webhook_initial,
            FIELD(struct webhook, url, STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 2048),
            FIELD(struct webhook, description, STRING, .flags = FIELD_NULLABLE, .max = 1000),
            FIELD(struct webhook, events, CHOICES, .max = EVENT__MAX, .choices = event_names),
            FIELD(struct webhook, disabled, BOOL),
            FIELD(struct webhook, signature_type, CHOICE, .flags = FIELD_FIXED | FIELD_UNSHOWN,
                  .choices = signature_type_names));

struct rotation {
	int signature_type; /* -1: not changed */
};

static const struct rotation rotation_initial = { .signature_type = -1 };

FIELD_TABLE(rotate_secret_fields, struct rotation, &rotation_initial,
            FIELD(struct rotation, signature_type, CHOICE, .choices = signature_type_names));

/* Writes what may be shown of the secret. A secret that cannot be opened has to be rotated; the log says so when the
 * secret is needed. */
static void write_signing(struct json *json, const struct webhook *webhook)
{
	struct signing_secrets secrets;
	struct buf public_key = { 0 };
	bool opened = secrets_open(&secrets, &webhook->uuid, webhook->secret.data, webhook->secret.len);

	if (opened && secrets.list[0].type == SIGNATURE_ED25519)
		secrets_receiver_key(&secrets, &public_key);
	json_add_string(json, "signature_type", opened ? signature_type_names[secrets.list[0].type] : NULL);
	json_text(json, "public_key", buf_text(&public_key));
	json_instant(json, "old_secret_expires_at", opened ? secrets_old_until(&secrets, clock_now_us()) : INSTANT_NONE);
	buf_free(&public_key);
	crypto_forget(&secrets, sizeof secrets);
}

static void write_health(struct json *json, const struct health *health)
{
	enum circuit circuit = health_circuit(health, clock_now_us());

	json_add_string(json, "circuit", circuit_names[circuit]);
	json_int(json, "failures_in_a_row", health->failures);
	json_instant(json, "failing_since", health->failing_since_us);
	json_instant(json, "next_probe_at", circuit == CIRCUIT_OPEN ? health->open_until_us : INSTANT_NONE);
}

static void write_figures(struct json *json, const struct webhook_figures *figures)
{
	json_int(json, "waiting", figures->waiting);
	json_int(json, "failed_24h", figures->failed_24h);
	json_int(json, "delivered_24h", figures->delivered_24h);
	json_instant(json, "last_success_at", figures->last_success_at_us);
}

void webhook_write(struct json *json, const void *item)
{
	const struct webhook *webhook = item;

	json_id(json, "id", &webhook->uuid);
	field_write(json, &webhook_fields, webhook);
	json_text(json, "disabled_reason", webhook->disabled_reason);
	write_health(json, &webhook->health);
	write_figures(json, &webhook->figures);
	write_signing(json, webhook);
	json_instant(json, "created_at", webhook->created_at_us);
	json_instant(json, "updated_at", webhook->updated_at_us);
}

/* Replies with the webhook and its secret. The private key of a key pair is never shown. */
static enum db_result reply_with_secret(struct request *request, int status, const struct webhook *webhook,
                                        const struct signing_secrets *secrets)
{
	struct json *json = reply_begin(request, status);
	struct buf secret = { 0 };

	json_begin_object(json, "data");
	webhook_write(json, webhook);
	if (secrets->list[0].type == SIGNATURE_HMAC) {
		secrets_receiver_key(secrets, &secret);
		reply_secret(request, "secret", secret.data);
	} else {
		json_add_null(json, "secret");
	}
	json_end(json);
	crypto_forget(secret.data, secret.len);
	buf_free(&secret);
	return reply_end(request);
}

static void store_secrets(struct request *request, struct webhook *webhook, const struct signing_secrets *secrets)
{
	struct buf sealed = { 0 };

	secrets_seal(secrets, &webhook->uuid, &sealed);
	webhook->secret.data = arena_strndup(request->arena, sealed.data, sealed.len);
	webhook->secret.len = sealed.len;
	buf_free(&sealed);
}

/* This rule depends on the operator's settings, so it is not in the table of fields. */
static enum db_result check_url(struct request *request, const struct webhook *webhook)
{
	bool is_fetched = webhook_is_fetched(webhook->url);
	const char *fault = is_fetched ? NULL : target_url_fault(webhook->url, request->conf);

	if (is_fetched && webhook->events != 0)
		return reply_refuse_field(request, "events", "must be empty: a dialer that fetches its calls gets no events");
	return fault == NULL ? DB_OK : reply_refuse_field(request, "url", "%s", fault);
}

enum db_result webhooks_list(struct request *request)
{
	struct page_query *query = request->query;
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(webhook_list(request->db, request->key.organization_id, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, webhook_write);
}

enum db_result webhooks_create(struct request *request)
{
	struct webhook *webhook = request->input;
	struct signing_secrets secrets = { .count = 0 };

	DB_TRY(check_url(request, webhook));
	webhook->health = health_initial;
	webhook->figures.last_success_at_us = INSTANT_NONE;
	webhook->uuid = uuid_new();
	webhook->created_at_us = webhook->updated_at_us = clock_now_us();
	secrets_renew(&secrets, (enum signature_type)webhook->signature_type, webhook->created_at_us);
	store_secrets(request, webhook, &secrets);
	DB_TRY(webhook_insert(request->db, request->key.organization_id, webhook));
	audit_say_id(request, &webhook->uuid);
	audit_say_changes(request, &webhook_fields, webhook_fields.initial, webhook);
	return reply_with_secret(request, 201, webhook, &secrets);
}

/* A secret that cannot be opened is replaced too. Then only the new secret signs. */
enum db_result webhooks_rotate_secret(struct request *request)
{
	const struct rotation *rotation = request->input;
	struct signing_secrets secrets;
	struct webhook webhook, shown;
	int type = rotation->signature_type;

	DB_TRY(webhook_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &webhook));
	if (!secrets_open(&secrets, &webhook.uuid, webhook.secret.data, webhook.secret.len))
		secrets.count = 0;
	if (type < 0)
		type = secrets.count > 0 ? (int)secrets.list[0].type : SIGNATURE_HMAC;
	webhook.updated_at_us = clock_now_us();
	secrets_renew(&secrets, (enum signature_type)type, webhook.updated_at_us);
	store_secrets(request, &webhook, &secrets);
	DB_TRY(webhook_renew_secret(request->db, &webhook));
	DB_TRY(webhook_get(request->db, request->key.organization_id, &webhook.uuid, request->arena, &shown));
	webhook.health = shown.health;
	webhook.figures = shown.figures;
	return reply_with_secret(request, 200, &webhook, &secrets);
}

enum db_result webhooks_get(struct request *request)
{
	struct webhook webhook;

	DB_TRY(webhook_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &webhook));
	return reply_object(request, 200, webhook_write, &webhook);
}

enum db_result webhooks_change(struct request *request)
{
	struct webhook before, webhook;

	DB_TRY(webhook_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &before));
	webhook = before;
	field_apply(&webhook_fields, request->given, request->input, &webhook);
	if (webhook_is_fetched(webhook.url) != webhook_is_fetched(before.url))
		return reply_refuse_field(request, "url", "cannot change between `" WEBHOOK_PULL "` and an address");
	if (webhook_is_fetched(webhook.url) ||
	    webhook.url != before.url) /* an endpoint whose address is not allowed any more may still be switched off */
		DB_TRY(check_url(request, &webhook));
	if (!webhook.disabled)
		webhook.disabled_reason = "";
	webhook.updated_at_us = clock_now_us();
	DB_TRY(webhook_update(request->db, &webhook));
	audit_say_changes(request, &webhook_fields, &before, &webhook);
	/* the health so far says nothing about a new address, or about an endpoint that was switched on again */
	if (!webhook.disabled && (before.disabled || strcmp(webhook.url, before.url) != 0))
		DB_TRY(health_reset(request->db, webhook.id, webhook.updated_at_us));
	return webhooks_get(request);
}

enum db_result webhooks_delete(struct request *request)
{
	struct webhook webhook;
	int64_t agents;

	DB_TRY(webhook_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &webhook));
	DB_TRY(webhook_count_agents(request->db, &webhook, &agents));
	if (agents > 0)
		return reply_refuse(request, ERROR_INVALID_STATE,
		                    "Agents use this webhook (%lld): give them another webhook first.", (long long)agents);
	DB_TRY(webhook_delete(request->db, &webhook));
	return reply_no_content(request);
}
