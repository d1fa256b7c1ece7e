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

#define CHUNK 100

/* Secrets that the keys do not open. */
struct unopened {
	bool in_clear, under_other_key;
	uint8_t key_id[VAULT_ID_SIZE]; /* of the key that seals the secret */
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

/* The first program that starts records which key it is, if `outdial migrate` had no key. */
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

/* Ends the process if the keys are not those of the database. */
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
		fatal("cannot read which keys seal the secrets: %s", db_last_error(db));
	db_free(db);
	if (result != DB_OK)
		return DB_LOST;
	if (unopened.in_clear)
		fatal("secrets of webhooks are stored in clear in the database: run `outdial secrets rekey`");
	return DB_OK;
}

enum db_result secrets_note_key(struct db *db, const char *file)
{
	struct unopened unopened;

	return require_keys(db, file, &unopened);
}

enum db_result secrets_take_over(struct db *db, bool *can)
{
	uint8_t id[VAULT_ID_SIZE];
	struct unopened unopened;

	DB_TRY(find_unopened(db, &unopened));
	DB_TRY(read_service_key(db, id));
	*can = !unopened.in_clear && !unopened.under_other_key && vault_has_key(id);
	return DB_OK;
}

/* The stored secrets of an endpoint. */
struct stored_secret {
	int64_t id;
	struct uuid uuid;
	struct bytes secret;
};

COLUMNS(stored_secret_columns, struct stored_secret, COLUMN(struct stored_secret, id),
        COLUMN(struct stored_secret, uuid), COLUMN(struct stored_secret, secret));

/* A batch of endpoints, which one transaction handles. */
struct chunk {
	struct rekey *rekey;
	struct arena *arena;
	int64_t after; /* begins after this internal key */
	/* Set again by every run: */
	int64_t last;
	size_t count, lost_count;
	struct uuid lost[CHUNK];
	struct rows sealed;
};

static bool read_secrets(struct signing_secrets *secrets, const struct stored_secret *stored)
{
	const struct bytes *bytes = &stored->secret;

	if (secret_is_in_clear(bytes->len))
		return secrets_adopt(secrets, bytes->data, bytes->len);
	return secrets_open(secrets, &stored->uuid, bytes->data, bytes->len);
}

static void seal_row(struct chunk *chunk, const struct stored_secret *stored)
{
	const struct bytes *bytes = &stored->secret;
	struct signing_secrets secrets;
	struct buf sealed = { 0 };
	bool known = read_secrets(&secrets, stored);

	if (known && !secret_is_in_clear(bytes->len) && memcmp(bytes->data, vault_key_id(), VAULT_ID_SIZE) == 0)
		return;
	if (!known) {
		chunk->lost[chunk->lost_count++] = stored->uuid;
		if (!chunk->rekey->replace_lost)
			return;
		secrets.count = 0;
		secrets_renew(&secrets, SIGNATURE_HMAC, clock_now_us());
	}
	secrets_seal(&secrets, &stored->uuid, &sealed);
	rows_next(&chunk->sealed);
	rows_int(&chunk->sealed, "id", stored->id);
	rows_bytes(&chunk->sealed, "secret", sealed.data, sealed.len);
	buf_free(&sealed);
	crypto_forget(&secrets, sizeof secrets);
}

static enum db_result seal_chunk(struct db *db, void *context)
{
	struct chunk *chunk = context;
	const struct stored_secret *stored;
	struct db_rows rows;

	chunk->lost_count = 0;
	chunk->sealed = rows_new(chunk->arena);
	DB_TRY(db_query(db, SQL_SECRET_CHUNK, DB_ARGS(db_int(chunk->after), db_int(CHUNK)), chunk->arena, &rows));
	stored = DB_STRUCTS(&rows, struct stored_secret);
	chunk->count = rows.count;
	for (size_t r = 0; r < rows.count; r++)
		seal_row(chunk, &stored[r]);
	chunk->last = rows.count > 0 ? stored[rows.count - 1].id : chunk->after;
	return db_exec(db, SQL_SECRET_SAVE, DB_ARGS(rows_value(&chunk->sealed)));
}

static void add_up(const struct chunk *chunk)
{
	struct rekey *rekey = chunk->rekey;

	rekey->lost += (int64_t)chunk->lost_count;
	rekey->sealed += (int64_t)chunk->sealed.count;
	rekey->untouched += (int64_t)(chunk->count - chunk->sealed.count);
	for (size_t i = 0; i < chunk->lost_count && rekey->on_lost != NULL; i++)
		rekey->on_lost(&chunk->lost[i]);
}

enum db_result secrets_rekey(struct db *db, struct rekey *rekey)
{
	struct chunk chunk = { .rekey = rekey, .arena = arena_new() };
	enum db_result result;

	rekey->sealed = rekey->untouched = rekey->lost = 0;
	do {
		result = db_transact(db, DB_REPEATABLE, seal_chunk, &chunk);
		if (result == DB_OK)
			add_up(&chunk);
		chunk.after = chunk.last;
		arena_reset(chunk.arena);
	} while (result == DB_OK && chunk.count > 0);
	arena_free(chunk.arena);
	if (result == DB_OK && (rekey->lost == 0 || rekey->replace_lost))
		result = db_exec(db, SQL_SERVICE_KEY_SET, DB_ARGS(db_bytes(vault_key_id(), VAULT_ID_SIZE)));
	return result;
}
