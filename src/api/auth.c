#include "api/auth.h"

#include <string.h>
#include <strings.h>

#include "api/reply.h"
#include "base/clock.h"
#include "base/crypto.h"

#define REMEMBER_US (2 * US_PER_SECOND)
#define NOTE_USE_US US_PER_MINUTE
#define REMEMBERED 256 /* keys, each in the place that its hash gives it */
#define KEY_LEN_MAX 200

struct remembered {
	uint8_t hash[SHA256_SIZE];
	struct key key;
	int64_t until_mono_us; /* 0: the place is empty */
	int64_t note_use_mono_us; /* not before this */
};

static struct remembered memory[REMEMBERED];
static struct remembered *in_use; /* by the request under way, NULL: no key that counts */

static enum db_result find_key(struct request *request, const uint8_t hash[SHA256_SIZE],
                               struct key *key)
{
	struct remembered *place = &memory[hash[0]];
	int64_t now_us = clock_mono_us();

	if (now_us < place->until_mono_us && memcmp(place->hash, hash, SHA256_SIZE) == 0) {
		*key = place->key;
		return DB_OK;
	}
	DB_TRY(key_find(request->db, hash, request->arena, key));
	if (memcmp(place->hash, hash, SHA256_SIZE) != 0)
		place->note_use_mono_us = 0;
	memcpy(place->hash, hash, SHA256_SIZE);
	place->key = *key;
	place->until_mono_us = now_us + REMEMBER_US;
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

enum db_result auth_identify(struct request *request)
{
	static const char scheme[] = "Bearer ";
	const char *text = request->authorization;
	uint8_t hash[SHA256_SIZE];
	enum db_result result;

	if (strncasecmp(text, scheme, sizeof scheme - 1) != 0)
		return refuse(request, "Bearer realm=\"outdial\"",
		              "An API key is wanted: Authorization: Bearer <key>");
	text += sizeof scheme - 1;
	text += strspn(text, " ");
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
	in_use = &memory[hash[0]];
	return DB_OK;
}

void auth_note_use(struct db *db)
{
	int64_t now_us = clock_mono_us();

	if (in_use != NULL && now_us >= in_use->note_use_mono_us) {
		in_use->note_use_mono_us = now_us + NOTE_USE_US;
		key_note_use(db, in_use->key.id, clock_now_us());
	}
	in_use = NULL;
}
