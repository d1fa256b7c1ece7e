#include "store/secret_store.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/vault.h"
#include "domain/signature.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

#define PORTION 100

/* What the keys do not open. */
struct unopened {
	bool in_clear, under_other_key;
	uint8_t key_id[VAULT_ID_SIZE]; /* of that one */
};

static enum db_result find_unopened(struct db *db, struct unopened *out)
{
	struct arena *arena = arena_new();
	struct db_rows rows = { 0 };
	enum db_result result = db_query(db, SQL_SECRET_KEYS, DB_NO_ARGS, arena, &rows);

	*out = (struct unopened){ .in_clear = false };
	for (size_t r = 0; result == DB_OK && r < rows.count; r++) {
		const struct db_value *id = db_get(&rows, r, 0);

		if (id->len != VAULT_ID_SIZE) {
			out->in_clear = true;
		} else if (!vault_has_key((const uint8_t *)id->data)) {
			out->under_other_key = true;
			memcpy(out->key_id, id->data, VAULT_ID_SIZE);
		}
	}
	arena_free(arena);
	return result;
}

static void __attribute__((noreturn)) refuse_file(const char *file, const char *what, const uint8_t id[VAULT_ID_SIZE])
{
	fatal("%s is not the right file: %s key %02x%02x%02x%02x, which it lacks", file, what, id[0], id[1], id[2], id[3]);
}

/* The id of the key that this installation seals under, as the database knows it; DB_NOT_FOUND: not yet. */
static enum db_result read_service_key(struct db *db, uint8_t id[VAULT_ID_SIZE])
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_SERVICE_KEY, DB_NO_ARGS, arena, &rows);

	if (result == DB_OK && rows.count == 0)
		result = DB_NOT_FOUND;
	if (result == DB_OK)
		memcpy(id, db_get(&rows, 0, 0)->data, VAULT_ID_SIZE);
	arena_free(arena);
	return result;
}

/* The first program that starts says which key it is, where `outdial migrate` had none. */
static enum db_result require_service_key(struct db *db, const char *file)
{
	uint8_t id[VAULT_ID_SIZE];
	enum db_result result = read_service_key(db, id);

	if (result == DB_NOT_FOUND) {
		DB_TRY(db_exec(db, SQL_SERVICE_KEY_FIRST, DB_ARGS(db_bytes(vault_key_id(), VAULT_ID_SIZE))));
		result = read_service_key(db, id);
	}
	if (result == DB_OK && !vault_has_key(id))
		refuse_file(file, "this installation seals under", id);
	return result;
}

/* Fatal where the keys are not those of the database. */
static enum db_result require_keys(struct db *db, const char *file, struct unopened *unopened)
{
	vault_load(file);
	DB_TRY(find_unopened(db, unopened));
	if (unopened->under_other_key)
		refuse_file(file, "secrets of webhooks are sealed under", unopened->key_id);
	return require_service_key(db, file);
}

enum db_result secrets_require(const struct conf *conf)
{
	struct db *db = db_new(conf->database_file);
	struct unopened unopened;
	enum db_result result = require_keys(db, conf->secret_key_file, &unopened);

	if (db_is_refusal(result) && result != DB_CONFLICT)
		fatal("cannot read under which keys secrets are sealed: %s", db_last_error(db));
	db_free(db);
	if (result != DB_OK)
		return DB_LOST;
	if (unopened.in_clear)
		fatal("secrets of webhooks stand in clear in the database: run `outdial secrets rekey`");
	return DB_OK;
}

enum db_result secrets_note_key(struct db *db, const char *file)
{
	struct unopened unopened;

	return require_keys(db, file, &unopened);
}

/* What is stored of an endpoint's secrets. */
struct stored_secret {
	int64_t id;
	struct uuid uuid;
	struct bytes secret;
};

COLUMNS(stored_secret_columns, struct stored_secret,
        COLUMN(struct stored_secret, id), COLUMN(struct stored_secret, uuid), COLUMN(struct stored_secret, secret));

/* Some endpoints, from the first to the last of which a transaction goes. */
struct portion {
	struct rekey *rekey;
	struct arena *arena;
	int64_t behind; /* this internal key */
	/* Made afresh at every run: */
	int64_t last;
	size_t count, lost_count;
	struct uuid lost[PORTION];
	struct rows sealed;
};

static bool read_secrets(struct signing_secrets *secrets, const struct stored_secret *stored)
{
	const struct bytes *bytes = &stored->secret;

	if (secret_is_in_clear(bytes->len))
		return secrets_adopt(secrets, bytes->data, bytes->len);
	return secrets_open(secrets, &stored->uuid, bytes->data, bytes->len);
}

static void seal_row(struct portion *portion, const struct stored_secret *stored)
{
	const struct bytes *bytes = &stored->secret;
	struct signing_secrets secrets;
	struct buf sealed = { 0 };
	bool known = read_secrets(&secrets, stored);

	if (known && !secret_is_in_clear(bytes->len) && memcmp(bytes->data, vault_key_id(), VAULT_ID_SIZE) == 0)
		return;
	if (!known) {
		portion->lost[portion->lost_count++] = stored->uuid;
		if (!portion->rekey->replace_lost)
			return;
		secrets.count = 0;
		secrets_renew(&secrets, SIGNATURE_HMAC, clock_now_us());
	}
	secrets_seal(&secrets, &stored->uuid, &sealed);
	rows_next(&portion->sealed);
	rows_int(&portion->sealed, "id", stored->id);
	rows_bytes(&portion->sealed, "secret", sealed.data, sealed.len);
	buf_free(&sealed);
	crypto_forget(&secrets, sizeof secrets);
}

static enum db_result seal_portion(struct db *db, void *context)
{
	struct portion *portion = context;
	const struct stored_secret *stored;
	struct db_rows rows;

	portion->lost_count = 0;
	portion->sealed = rows_new(portion->arena);
	DB_TRY(db_query(db, SQL_SECRET_PORTION, DB_ARGS(db_int(portion->behind), db_int(PORTION)), portion->arena, &rows));
	stored = DB_STRUCTS(&rows, struct stored_secret);
	portion->count = rows.count;
	for (size_t r = 0; r < rows.count; r++)
		seal_row(portion, &stored[r]);
	portion->last = rows.count > 0 ? stored[rows.count - 1].id : portion->behind;
	return db_exec(db, SQL_SECRET_SAVE, DB_ARGS(rows_value(&portion->sealed)));
}

static void add_up(const struct portion *portion)
{
	struct rekey *rekey = portion->rekey;

	rekey->lost += (int64_t)portion->lost_count;
	rekey->sealed += (int64_t)portion->sealed.count;
	rekey->untouched += (int64_t)(portion->count - portion->sealed.count);
	for (size_t i = 0; i < portion->lost_count && rekey->tell_lost != NULL; i++)
		rekey->tell_lost(&portion->lost[i]);
}

enum db_result secrets_rekey(struct db *db, struct rekey *rekey)
{
	struct portion portion = { .rekey = rekey, .arena = arena_new() };
	enum db_result result;

	rekey->sealed = rekey->untouched = rekey->lost = 0;
	do {
		result = db_transact(db, DB_REPEATABLE, seal_portion, &portion);
		if (result == DB_OK)
			add_up(&portion);
		portion.behind = portion.last;
		arena_reset(portion.arena);
	} while (result == DB_OK && portion.count > 0);
	arena_free(portion.arena);
	if (result == DB_OK && (rekey->lost == 0 || rekey->replace_lost))
		result = db_exec(db, SQL_SERVICE_KEY_SET, DB_ARGS(db_bytes(vault_key_id(), VAULT_ID_SIZE)));
	return result;
}
