/* Secrets are sealed again under the first key, whatever key sealed them before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/key_file.h"
#include "base/clock.h"
#include "domain/signature.h"
#include "fixture.h"
#include "store/secret_store.h"
#include "store/webhook_store.h"

#define SEVERAL 130 /* more than a chunk */
#define KEY_C "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"

static struct webhook add(struct fixture *fixture, const void *secret, size_t len, struct uuid uuid)
{
	struct webhook webhook = {
		.uuid = uuid,
		.url = "https://example.com/",
		.description = "",
		.secret = { secret, len },
		.disabled_reason = "",
		.created_at_us = clock_now_us(),
		.updated_at_us = clock_now_us(),
	};

	assert_ok(webhook_insert(fixture->db, fixture->organization_id, &webhook));
	return webhook;
}

static struct webhook add_sealed(struct fixture *fixture, struct signing_secrets *secrets)
{
	struct uuid uuid = uuid_new();
	struct buf sealed = { 0 };
	struct webhook webhook;

	*secrets = (struct signing_secrets){ .count = 0 };
	secrets_renew(secrets, SIGNATURE_ED25519, 0);
	secrets_renew(secrets, SIGNATURE_HMAC, 0);
	secrets_seal(secrets, &uuid, &sealed);
	webhook = add(fixture, sealed.data, sealed.len, uuid);
	buf_free(&sealed);
	return webhook;
}

static struct webhook read_webhook(struct fixture *fixture, const struct webhook *webhook)
{
	struct webhook read;

	assert_ok(webhook_get(fixture->db, fixture->organization_id, &webhook->uuid, fixture->arena, &read));
	assert_int_equal(read.updated_at_us, webhook->updated_at_us);
	return read;
}

static void assert_holds(struct fixture *fixture, const struct webhook *webhook, const struct signing_secrets *secrets)
{
	struct webhook read = read_webhook(fixture, webhook);
	struct signing_secrets opened;

	assert_memory_equal(read.secret.data, vault_key_id(), VAULT_ID_SIZE);
	assert_true(secrets_open(&opened, &read.uuid, read.secret.data, read.secret.len));
	assert_int_equal(opened.count, secrets->count);
	for (size_t i = 0; i < opened.count; i++) {
		assert_int_equal(opened.list[i].type, secrets->list[i].type);
		assert_int_equal(opened.list[i].until_us, secrets->list[i].until_us);
		assert_int_equal(opened.list[i].len, secrets->list[i].len);
		assert_memory_equal(opened.list[i].bytes, secrets->list[i].bytes, opened.list[i].len);
	}
}

/* Deletes what other tests have left. */
static void seal_all(struct fixture *fixture)
{
	struct rekey rekey = { .replace_lost = true };

	assert_ok(secrets_rekey(fixture->db, &rekey));
}

static void all_are_sealed_under_the_first_key(void **state)
{
	static struct signing_secrets secrets[SEVERAL];
	static struct webhook webhooks[SEVERAL];
	struct fixture *fixture = *state;
	struct rekey rekey = { .replace_lost = false };

	load_keys(KEY_A);
	seal_all(fixture);
	for (int i = 0; i < SEVERAL; i++)
		webhooks[i] = add_sealed(fixture, &secrets[i]);
	load_keys(KEY_B "\n" KEY_A);
	webhooks[5] = add_sealed(fixture, &secrets[5]); /* under the new key already */
	assert_ok(secrets_rekey(fixture->db, &rekey));
	assert_true(rekey.sealed >= SEVERAL);
	assert_int_equal(rekey.lost, 0);
	assert_int_equal(rekey.untouched, 1);
	for (int i = 0; i < SEVERAL; i++)
		assert_holds(fixture, &webhooks[i], &secrets[i]);
	load_keys(KEY_B);
	assert_ok(secrets_rekey(fixture->db, &rekey));
	assert_int_equal(rekey.sealed, 0);
	assert_int_equal(rekey.lost, 0);
}

static void secrets_in_clear_are_sealed(void **state)
{
	static const char clear[24] = "in clear from before \xff";
	struct fixture *fixture = *state;
	struct webhook webhook = add(fixture, clear, sizeof clear, uuid_new());
	struct rekey rekey = { .replace_lost = false };
	struct signing_secrets secrets;

	load_keys(KEY_A);
	seal_all(fixture);
	webhook = add(fixture, clear, sizeof clear, uuid_new());
	assert_ok(secrets_rekey(fixture->db, &rekey));
	assert_int_equal(rekey.sealed, 1);
	assert_true(secrets_adopt(&secrets, clear, sizeof clear));
	assert_holds(fixture, &webhook, &secrets);
	assert_int_equal(ask("SELECT COUNT(*) FROM webhook_endpoints WHERE LOCATE('in clear from', secret) > 0"), 0);
}

static struct uuid lost;

static void remember_lost(const struct uuid *endpoint)
{
	lost = *endpoint;
}

static void secrets_that_no_key_opens_are_kept_or_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct rekey rekey = { .on_lost = remember_lost };
	struct signing_secrets secrets, opened;
	struct webhook webhook, read;

	load_keys(KEY_A);
	seal_all(fixture);
	load_keys(KEY_C);
	webhook = add_sealed(fixture, &secrets);
	load_keys(KEY_A);
	assert_ok(secrets_rekey(fixture->db, &rekey));
	assert_int_equal(rekey.lost, 1);
	assert_int_equal(rekey.sealed, 0);
	assert_true(uuid_equal(&lost, &webhook.uuid));
	load_keys(KEY_C);
	assert_holds(fixture, &webhook, &secrets);
	load_keys(KEY_A);
	rekey.replace_lost = true;
	assert_ok(secrets_rekey(fixture->db, &rekey));
	assert_int_equal(rekey.lost, 1);
	assert_int_equal(rekey.sealed, 1);
	read = read_webhook(fixture, &webhook);
	assert_true(secrets_open(&opened, &read.uuid, read.secret.data, read.secret.len));
	assert_int_equal(opened.count, 1);
	assert_memory_not_equal(opened.list[0].bytes, secrets.list[0].bytes, secrets.list[0].len);
	assert_ok(secrets_rekey(fixture->db, &rekey));
	assert_int_equal(rekey.lost + rekey.sealed, 0);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(all_are_sealed_under_the_first_key),
		FIXTURE_TEST(secrets_in_clear_are_sealed),
		FIXTURE_TEST(secrets_that_no_key_opens_are_kept_or_replaced),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
