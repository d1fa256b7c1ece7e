#include "api/keys.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stddef.h>
#include <string.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/instant.h"
#include "domain/key.h"
#include "domain/scope.h"
#include "store/schema.h"

struct key_input {
	const char *name;
	unsigned scopes;
	struct when expires_at;
};

static const struct key_input key_initial = { .name = "", .expires_at = { .us = INSTANT_NEVER } };

FIELD_TABLE(key_fields, struct key_input, &key_initial,
            FIELD(struct key_input, name, STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 255),
            FIELD(struct key_input, scopes, CHOICES, .flags = FIELD_REQUIRED, .min = 1, .max = SCOPE__MAX,
                  .choices = scope_names),
            FIELD(struct key_input, expires_at, WHEN, .flags = FIELD_NULLABLE));

#define SESSION_SECONDS_MAX (12 * 3600)

/* The key of a session. */
struct session_input {
	unsigned scopes; /* 0: the scopes of its parent */
	int64_t lifetime_seconds;
};

static const struct session_input session_initial = { .lifetime_seconds = SESSION_SECONDS_MAX };

FIELD_TABLE(session_fields, struct session_input, &session_initial,
            FIELD(struct session_input, scopes, CHOICES, .min = 1, .max = SCOPE__MAX, .choices = scope_names),
            FIELD(struct session_input, lifetime_seconds, INT, .min = 60, .max = SESSION_SECONDS_MAX));

static void write_key(struct json *json, const void *item)
{
	const struct key *key = item;

	json_id(json, "id", &key->uuid);
	json_add_string(json, "name", key->name);
	json_begin_array(json, "scopes");
	for (int scope = 0; scope < SCOPE__MAX; scope++)
		if ((key->scopes & SCOPE_BIT(scope)) != 0)
			json_add_string(json, NULL, scope_names[scope]);
	json_end(json);
	json_instant(json, "expires_at", key->expires_at_us);
	json_instant(json, "revoked_at", key->revoked_at_us);
	json_instant(json, "last_used_at", key->last_used_at_us);
	json_instant(json, "created_at", key->created_at_us);
}

enum db_result keys_list(struct request *request)
{
	struct page_query *query = request->query;
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(key_list_of(request->db, request->key.organization_id, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_key);
}

/* Makes the text of a key, which is only in this reply. */
static enum db_result insert_and_reply(struct request *request, struct key *key)
{
	uint8_t hash[SHA256_SIZE];
	struct json *json;
	char text[KEY_TEXT];

	key_text_new(request->conf->cell, text);
	crypto_sha256(text, strlen(text), hash);
	DB_TRY(key_insert(request->db, key, hash));
	audit_say_id(request, &key->uuid);
	json = reply_begin_object(request, 201);
	write_key(json, key);
	reply_secret(request, "key", text);
	return reply_end_object(request);
}

enum db_result keys_create(struct request *request)
{
	const struct key_input *input = request->input;
	struct key key = {
		.uuid = uuid_new(),
		.organization_id = request->key.organization_id,
		.name = input->name,
		.scopes = input->scopes,
		.expires_at_us = input->expires_at.us,
		.created_at_us = clock_now_us(),
	};

	if (input->expires_at.is_wall)
		return reply_refuse_field(request, "expires_at", "must say its offset from UTC, or end in Z");
	if (key.expires_at_us <= key.created_at_us)
		return reply_refuse_field(request, "expires_at", "must lie ahead");
	audit_say_changes(request, &key_fields, &key_initial, input);
	return insert_and_reply(request, &key);
}

/* Checks what the key may be used for, and for how long. */
static enum db_result check_session(struct request *request, const struct key *parent)
{
	const struct session_input *input = request->input;

	if (parent->parent_row != 0)
		return reply_refuse(request, ERROR_FORBIDDEN, "The key of a session cannot create keys of sessions.");
	if ((input->scopes & ~parent->scopes) != 0)
		return reply_refuse_field(request, "scopes", "must be some of the scopes of this key");
	return key_make_room(request->db, parent->id);
}

enum db_result keys_create_session(struct request *request)
{
	const struct session_input *input = request->input;
	int64_t now_us = clock_now_us(), expires_at_us = now_us + input->lifetime_seconds * US_PER_SECOND;
	struct key parent, key;

	DB_TRY(key_get(request->db, request->key.id, request->arena, &parent));
	DB_TRY(check_session(request, &parent));
	key = (struct key){
		.uuid = uuid_new(),
		.organization_id = parent.organization_id,
		.parent_row = parent.id,
		.name = parent.name,
		.scopes = input->scopes != 0 ? input->scopes : parent.scopes,
		.expires_at_us = expires_at_us < parent.expires_at_us ? expires_at_us : parent.expires_at_us,
		.created_at_us = now_us,
	};
	audit_say_other(request, "session_of", &parent.uuid);
	return insert_and_reply(request, &key);
}

enum db_result keys_revoke(struct request *request)
{
	DB_TRY(key_revoke(request->db, request->key.organization_id, &request->ids[0], clock_now_us()));
	return reply_no_content(request);
}

enum db_result keys_get_current(struct request *request)
{
	struct json *json;
	struct key key;

	DB_TRY(key_get(request->db, request->key.id, request->arena, &key));
	json = reply_begin_object(request, 200);
	write_key(json, &key);
	json_id(json, "parent_id", &key.parent_id);
	json_begin_object(json, "organization");
	json_id(json, "id", &key.organization_uuid);
	json_add_string(json, "name", key.organization_name);
	json_end(json);
	json_begin_object(json, "server");
	json_add_string(json, "version", PACKAGE_VERSION);
	json_int(json, "schema_version", SCHEMA_VERSION);
	json_instant(json, "time", clock_now_us());
	json_end(json);
	return reply_end_object(request);
}

enum db_result keys_revoke_current(struct request *request)
{
	struct key key;

	DB_TRY(key_get(request->db, request->key.id, request->arena, &key));
	DB_TRY(key_revoke(request->db, request->key.organization_id, &key.uuid, clock_now_us()));
	audit_say_id(request, &key.uuid);
	return reply_no_content(request);
}
