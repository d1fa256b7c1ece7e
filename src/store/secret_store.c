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

void secrets_require(const struct conf *conf)
{
	struct db *db;
	struct unopened unopened;

	vault_load(conf->secret_key_file);
	db = db_new(conf->database_file);
	if (find_unopened(db, &unopened) != DB_OK)
		fatal("cannot read under which keys secrets are sealed: %s", db_last_error(db));
	db_free(db);
	if (unopened.under_other_key)
		fatal("%s is not the right file: secrets of webhooks are sealed under key %02x%02x%02x%02x, which it lacks",
		      conf->secret_key_file, unopened.key_id[0], unopened.key_id[1], unopened.key_id[2],
		      unopened.key_id[3]);
	if (unopened.in_clear)
		fatal("secrets of webhooks stand in clear in the database: run `outdial secrets rekey`");
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
	return result;
}
