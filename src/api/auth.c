#include "api/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "domain/report_fields.h"
#include "domain/report_token.h"
#include "domain/signature.h"
#include "store/organization_store.h"
#include "store/reporter_store.h"

#define NOTE_USE_US US_PER_MINUTE
#define REMEMBERED 256 /* keys, each in the slot that its hash selects */
#define KEY_LEN_MAX 200
#define TOLERANCE_US (5 * US_PER_MINUTE) /* allowed difference between the clocks of a signer and ours */
#define MESSAGE_ID_MAX 256
#define DIALERS_MAX 8 /* the most dialers that are tried for one signature */

struct remembered {
	uint8_t hash[SHA256_SIZE];
	struct key key;
	int64_t until_mono_us;    /* 0: the slot is empty */
	int64_t note_use_mono_us; /* not before this */
};

static struct remembered memory[REMEMBERED];
static struct remembered *in_use; /* the slot of the present request's key; NULL: none */

static enum db_result find_key(struct request *request, const uint8_t hash[SHA256_SIZE], struct key *key)
{
	struct remembered *place = &memory[hash[0]];
	int64_t now_us = clock_mono_us();

	if (now_us < place->until_mono_us && memcmp(place->hash, hash, SHA256_SIZE) == 0) {
		*key = place->key;
		request->here_until_us = place->until_mono_us;
		return DB_OK;
	}
	DB_TRY(key_find(request->db, hash, request->arena, key));
	if (memcmp(place->hash, hash, SHA256_SIZE) != 0)
		place->note_use_mono_us = 0;
	memcpy(place->hash, hash, SHA256_SIZE);
	place->key = *key;
	place->until_mono_us = key->place == ORGANIZATION_HERE ? now_us + ORGANIZATION_REMEMBERED_US : 0;
	request->here_until_us = place->until_mono_us;
	return DB_OK;
}

static enum db_result refuse(struct request *request, const char *challenge, const char *message)
{
	enum db_result result = reply_refuse(request, ERROR_UNAUTHORIZED, "%s", message);

	reply_header(request, "WWW-Authenticate", challenge);
	return result;
}

static enum db_result refuse_key(struct request *request, const char *message)
{
	return refuse(request, "Bearer realm=\"outdial\", error=\"invalid_token\"", message);
}

static enum db_result refuse_for_now(struct request *request, const char *message)
{
	reply_refuse(request, ERROR_UNAVAILABLE, "%s", message);
	reply_header(request, "Retry-After", "5");
	return DB_REFUSED;
}

static enum db_result refuse_at(struct request *request, int place, const char *cell)
{
	request->faults.count = 0; /* the faults are not the reason */
	if (place != ORGANIZATION_ELSEWHERE)
		return refuse_for_now(request, "This organisation is being moved to another cell: try again in a while.");
	reply_refuse(request, ERROR_MOVED, "This organisation was moved to the cell `%s`.", cell);
	reply_header(request, "Outdial-Cell", cell);
	return DB_REFUSED;
}

/* DB_NOT_FOUND: a copy of the organisation has just replaced this row. */
enum db_result auth_refuse_away(struct request *request)
{
	struct organization_place_of at;
	enum db_result result = organization_place(request->writer, request->key.organization_id, request->arena, &at);

	if (result == DB_NOT_FOUND)
		return refuse_at(request, ORGANIZATION_ARRIVING, "");
	return result == DB_OK ? refuse_at(request, at.place, at.cell) : result;
}

/* While an organisation leaves, its rows here are still complete, but the next moment it may be in the other cell. */
static enum db_result look_where(struct request *request, int *place, const char **cell)
{
	int64_t now_us = clock_mono_us();
	struct organization_place_of at;
	enum db_result result = organization_place(request->writer, request->key.organization_id, request->arena, &at);

	if (result != DB_OK && result != DB_NOT_FOUND)
		return result;
	*place = result == DB_OK ? at.place : ORGANIZATION_DROPPED;
	*cell = result == DB_OK ? at.cell : "";
	if (*place == ORGANIZATION_HERE)
		request->here_until_us = now_us + ORGANIZATION_REMEMBERED_US;
	return *place == ORGANIZATION_HERE || *place == ORGANIZATION_LEAVING ? DB_OK : DB_REFUSED;
}

static bool is_known_to_be_here(const struct request *request)
{
	return request->key.organization_id == 0 || clock_mono_us() < request->here_until_us;
}

bool auth_was_here(struct request *request)
{
	const char *cell;
	int place;

	return is_known_to_be_here(request) || look_where(request, &place, &cell) == DB_OK;
}

enum db_result auth_require_here(struct request *request)
{
	const char *cell;
	int place;
	enum db_result result = is_known_to_be_here(request) ? DB_OK : look_where(request, &place, &cell);

	return result == DB_REFUSED ? refuse_at(request, place, cell) : result;
}

enum db_result auth_refuse_unknown(struct request *request, enum db_result result)
{
	bool arrives = false;

	if (*request->conf->cell != '\0')
		DB_TRY(organization_any_arrives(request->writer, &arrives));
	return arrives ? refuse_for_now(request, "An organisation is being moved to this cell: try again in a while.")
	               : result;
}

static struct key key_for_reports(int64_t organization_id)
{
	return (struct key){ .organization_id = organization_id, .scopes = SCOPE_BIT(SCOPE_REPORTS) };
}

static bool takes_dialers(const struct request *request)
{
	return (request->route->flags & ROUTE_DIALER) != 0;
}

/* Returns the call that the path names; NULL: the body names the calls. */
static const struct uuid *call_of_path(const struct request *request)
{
	return request->route->body == &bulk_report_fields ? NULL : &request->ids[0];
}

static enum db_result identify_by_token(struct request *request, const char *text)
{
	const struct uuid *of_path = call_of_path(request);
	int64_t organization_id, ended_at_us;
	struct uuid call_id;
	enum db_result result;

	if (!report_token_read(text, &call_id))
		return refuse_key(request, "This token is not known.");
	result = reported_call_find(request->db, &call_id, request->arena, &organization_id, &ended_at_us);
	if (result == DB_NOT_FOUND)
		return auth_refuse_unknown(request, refuse_key(request, "The call of this token no longer exists."));
	if (result != DB_OK)
		return result;
	if (ended_at_us != INSTANT_NONE && ended_at_us + REPORT_TOKEN_GRACE_US <= clock_now_us())
		return refuse_key(request, "This token has expired: its call ended a day ago.");
	if (of_path != NULL && !uuid_equal(of_path, &call_id))
		return reply_refuse(request, ERROR_FORBIDDEN, "This token is for the reports of another call.");
	request->token_call = call_id;
	request->key = key_for_reports(organization_id);
	return DB_OK;
}

enum db_result auth_identify(struct request *request)
{
	static const char scheme[] = "Bearer ";
	const char *text = request->authorization;
	uint8_t hash[SHA256_SIZE];
	enum db_result result;

	if (strncasecmp(text, scheme, sizeof scheme - 1) != 0)
		return refuse(request, "Bearer realm=\"outdial\"", "An API key is required: Authorization: Bearer <key>");
	text += sizeof scheme - 1;
	text += strspn(text, " ");
	if (takes_dialers(request) && strncmp(text, REPORT_TOKEN_PREFIX, strlen(REPORT_TOKEN_PREFIX)) == 0)
		return identify_by_token(request, text);
	if (strlen(text) > KEY_LEN_MAX)
		return refuse_key(request, "This API key is not known.");
	crypto_sha256(text, strlen(text), hash);
	result = find_key(request, hash, &request->key);
	if (result == DB_NOT_FOUND)
		return refuse_key(request, "This API key is not known.");
	if (result != DB_OK)
		return result;
	if (request->key.revoked_at_us <= clock_now_us())
		return refuse_key(request, "This API key was revoked.");
	if (request->key.expires_at_us <= clock_now_us())
		return refuse_key(request, "This API key has expired.");
	if (request->key.place != ORGANIZATION_HERE)
		return auth_refuse_away(request);
	in_use = &memory[hash[0]];
	return DB_OK;
}

bool auth_is_by_signature(const struct request *request)
{
	return takes_dialers(request) && *request->webhook_signature != '\0' && *request->authorization == '\0';
}

static enum db_result refuse_signature(struct request *request, const char *message)
{
	return refuse(request, "Bearer realm=\"outdial\"", message);
}

/* Returns false if the text is not a number of seconds. */
static bool read_timestamp(const char *text, int64_t *seconds)
{
	char *end;

	errno = 0;
	*seconds = strtoll(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *seconds < INSTANT_NEVER / US_PER_SECOND;
}

static bool is_message_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= MESSAGE_ID_MAX && strchr(id, '.') == NULL;
}

enum db_result auth_check_signature_headers(struct request *request)
{
	int64_t seconds;

	if (!is_message_id(request->webhook_id) || !read_timestamp(request->webhook_timestamp, &seconds))
		return refuse_signature(request, "webhook-id and webhook-timestamp must be there and well-formed.");
	if (!signature_is_wellformed(request->webhook_signature))
		return refuse_signature(request, "webhook-signature has no signature of the form v1,<base64>.");
	if (llabs(clock_now_us() - seconds * US_PER_SECOND) > TOLERANCE_US)
		return refuse_signature(request, "webhook-timestamp is more than five minutes away from now.");
	return DB_OK;
}

/* Returns the signed message: the headers, which are well-formed, and the body. */
static struct signed_message signed_message(const struct request *request)
{
	struct signed_message message = { .id = request->webhook_id, .body = request->body, .body_len = request->body_len };

	read_timestamp(request->webhook_timestamp, &message.timestamp_s);
	return message;
}

static enum db_result is_signed_by(const struct request *request, const struct signed_message *message,
                                   const struct reporter *dialer, bool *fits)
{
	struct signing_secrets secrets;

	if (!secrets_open(&secrets, &dialer->endpoint_id, dialer->secret.data, dialer->secret.len)) {
		log_error("the secret of a webhook endpoint cannot be opened with the keys of secret_key_file");
		return DB_ERROR;
	}
	*fits = signature_fits(request->webhook_signature, &secrets, message, clock_now_us());
	crypto_forget(&secrets, sizeof secrets);
	return DB_OK;
}

static bool is_first_of_its_endpoint(const struct reporter *dialers, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (dialers[i].endpoint == dialers[at].endpoint)
			return false;
	return true;
}

/* A signature does not say who signed. So the dialers of the calls are tried, up to DIALERS_MAX. */
static enum db_result find_signer(struct request *request, const struct signed_message *message,
                                  const struct reporter *dialers, size_t count, const struct reporter **signer)
{
	bool fits = false;

	for (size_t i = 0, tried = 0; i < count && tried < DIALERS_MAX; i++) {
		if (!is_first_of_its_endpoint(dialers, i))
			continue;
		DB_TRY(is_signed_by(request, message, &dialers[i], &fits));
		*signer = &dialers[i];
		if (fits)
			return DB_OK;
		tried++;
	}
	return auth_refuse_unknown(request,
	                           refuse_signature(request, "The signature does not belong to the dialer of the calls."));
}

/* Returns the calls of the reports, from the path or from the body. */
static const struct uuid *reported_calls(const struct request *request, size_t *count)
{
	const struct field_list *list;
	const struct call_report *reports;
	struct uuid *ids;

	*count = 1;
	if (call_of_path(request) != NULL)
		return call_of_path(request);
	list = &((const struct bulk_report *)request->input)->reports;
	reports = list->items;
	ids = arena_alloc(request->arena, list->count * sizeof *ids);
	for (size_t i = 0; i < list->count; i++)
		ids[i] = reports[i].call_id;
	*count = list->count;
	return ids;
}

enum db_result auth_check_signature(struct request *request)
{
	size_t count, dialer_count;
	const struct uuid *ids = reported_calls(request, &count);
	bool *may_report = arena_alloc(request->arena, count * sizeof *may_report);
	const struct reporter *signer = NULL;
	struct signed_message message = signed_message(request);
	struct reporter *dialers;

	DB_TRY(reporters_find(request->db, ids, count, request->arena, &dialers, &dialer_count));
	DB_TRY(find_signer(request, &message, dialers, dialer_count, &signer));
	for (size_t i = 0; i < dialer_count; i++)
		may_report[dialers[i].nth] = dialers[i].endpoint == signer->endpoint;
	request->may_report = may_report;
	request->key = key_for_reports(signer->organization_id);
	return DB_OK;
}

bool auth_may_report(const struct request *request, size_t nth, const struct uuid *call_id)
{
	if (request->may_report != NULL)
		return request->may_report[nth];
	return uuid_is_nil(&request->token_call) || uuid_equal(&request->token_call, call_id);
}

void auth_note_use(struct db *db)
{
	int64_t now_us = clock_mono_us();

	if (in_use != NULL && now_us >= in_use->note_use_mono_us) {
		in_use->note_use_mono_us = now_us + NOTE_USE_US;
		key_note_use(db, key_owner(&in_use->key), clock_now_us());
	}
	in_use = NULL;
}
