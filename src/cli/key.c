#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/arguments.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "domain/key.h"
#include "domain/scope.h"
#include "store/key_store.h"

static int64_t parse_expiry(const char *text)
{
	struct when when;

	if (text == NULL)
		return INSTANT_NEVER;
	if (!when_parse(text, &when))
		fatal("--expires must be a date and time such as 2027-01-01T00:00:00Z, not `%s`", text);
	return when.us < INSTANT_NEVER ? when.us : INSTANT_NEVER;
}

static void check_text(const char *option, const char *text, size_t min)
{
	size_t len = strlen(text);

	if (!utf8_is_valid(text, len) || utf8_length(text, len) < min || utf8_length(text, len) > 255)
		fatal("%s must have %zu to 255 characters, in UTF-8", option, min);
}

void cli_key_create(const struct conf *conf, int argc, char **argv)
{
	const char *organization = NULL, *name = "", *scopes = "all", *expires = NULL;
	const struct argument options[] = {
		{ "organization", &organization }, { "name", &name }, { "scopes", &scopes }, { "expires", &expires }
	};
	struct db *db = db_new(conf->database_file);
	char text[KEY_TEXT];
	uint8_t hash[SHA256_SIZE];
	enum db_result result;
	struct key key;

	arguments_read(argc, argv, options, 4, 0);
	if (organization == NULL)
		fatal("--organization is missing: name the organisation of the key");
	check_text("--organization", organization, 1);
	check_text("--name", name, 0);
	key = (struct key){
		.uuid = uuid_new(), .organization_name = organization, .name = name, .expires_at_us = parse_expiry(expires)
	};
	if (!scopes_parse(scopes, &key.scopes))
		fatal("--scopes must be `all` or some of read, write, reports, admin, not `%s`", scopes);
	cli_connect(db);
	key.created_at_us = clock_now_us();
	if (key.expires_at_us <= key.created_at_us)
		fatal("--expires must be in the future, not `%s`", expires);
	key_text_new(conf->cell, text);
	crypto_sha256(text, strlen(text), hash);
	result = key_create(db, &key, hash);
	if (result == DB_REFUSED)
		fatal("the organisation `%s` is in another cell, or on its way: see `outdial organization list`", organization);
	cli_check(result, db);
	puts(text);
	db_free(db);
}

static void print_scopes(unsigned scopes)
{
	const char *separator = "";

	if (scopes == SCOPES_ALL) {
		printf("all");
		return;
	}
	for (int scope = 0; scope < SCOPE__MAX; scope++)
		if ((scopes & SCOPE_BIT(scope)) != 0) {
			printf("%s%s", separator, scope_names[scope]);
			separator = ",";
		}
}

/* A client may have chosen the names, so control characters are removed. */
static void print_key(const struct key *key, struct arena *arena)
{
	char id[UUID_TEXT], created[32], expires[32];

	uuid_format(&key->uuid, id);
	instant_format_iso(key->created_at_us, created);
	instant_format_iso(key->expires_at_us, expires);
	printf("%s  %s  ", id, created);
	if (key->revoked_at_us <= clock_now_us())
		printf("%-32s  ", "revoked");
	else if (key->expires_at_us <= clock_now_us())
		printf("%-32s  ", "expired");
	else if (key->expires_at_us == INSTANT_NEVER)
		printf("%-32s  ", "valid");
	else
		printf("valid until %-20s  ", expires);
	print_scopes(key->scopes);
	printf("  %s%s%s\n", cli_printable(arena, key->organization_name), *key->name != '\0' ? ": " : "",
	       cli_printable(arena, key->name));
}

void cli_key_list(const struct conf *conf, int argc, char **argv)
{
	struct db *db = db_new(conf->database_file);
	struct arena *arena = arena_new();
	const struct key *keys;
	size_t count;

	arguments_read(argc, argv, NULL, 0, 0);
	cli_connect(db);
	cli_check(key_list(db, arena, &keys, &count), db);
	for (size_t i = 0; i < count; i++)
		print_key(&keys[i], arena);
	arena_free(arena);
	db_free(db);
}

void cli_key_revoke(const struct conf *conf, int argc, char **argv)
{
	char **words = arguments_read(argc, argv, NULL, 0, 1);
	struct db *db = db_new(conf->database_file);
	enum db_result result;
	struct uuid id;

	if (!uuid_parse_id(words[0], ID_KEY, &id))
		fatal("`%s` is not the id of a key: see `outdial key list`", words[0]);
	cli_connect(db);
	result = key_revoke_any(db, id);
	if (result == DB_NOT_FOUND)
		fatal("there is no key with the id %s", words[0]);
	if (result == DB_REFUSED)
		fatal("the organisation of this key is in another cell, or on its way: see `outdial organization list`");
	cli_check(result, db);
	db_free(db);
}
