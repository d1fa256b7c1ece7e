/* API keys: found by their hash, tied to an organisation, revoked for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/scope.h"
#include "fixture.h"
#include "store/key_store.h"

static struct key new_key(const char *organization)
{
	return (struct key){
		.uuid = uuid_new(), .name = "test", .organization_name = organization,
		.scopes = SCOPE_BIT(SCOPE_READ) | SCOPE_BIT(SCOPE_REPORTS), .expires_at_us = INSTANT_NEVER,
		.created_at_us = clock_now_us(),
	};
}

static const char *new_name(struct fixture *fixture)
{
	struct uuid uuid = uuid_new();
	char text[UUID_TEXT];

	uuid_format(&uuid, text);
	return arena_printf(fixture->arena, "Größe %s", text);
}

static void a_key_is_found_by_its_hash(void **state)
{
	struct fixture *fixture = *state;
	struct key key = new_key(new_name(fixture)), found;
	uint8_t hash[SHA256_SIZE], other[SHA256_SIZE];

	crypto_random(hash, sizeof hash);
	crypto_random(other, sizeof other);
	assert_ok(key_create(fixture->db, &key, hash));
	assert_ok(key_find(fixture->db, hash, fixture->arena, &found));
	assert_int_equal(found.id, key.id);
	assert_int_equal(found.organization_id, key.organization_id);
	assert_int_equal(found.scopes, key.scopes);
	assert_int_equal(found.expires_at_us, INSTANT_NEVER);
	assert_int_equal(found.revoked_at_us, INSTANT_NEVER);
	assert_int_equal(key_find(fixture->db, other, fixture->arena, &found), DB_NOT_FOUND);
}

static void an_organisation_is_made_once(void **state)
{
	struct fixture *fixture = *state;
	const char *name = new_name(fixture);
	struct key first = new_key(name), second = new_key(name), third = new_key(new_name(fixture));
	uint8_t hash[SHA256_SIZE] = { 0 };

	crypto_random(hash, sizeof hash);
	assert_ok(key_create(fixture->db, &first, hash));
	hash[0] = (uint8_t)(hash[0] + 1);
	assert_ok(key_create(fixture->db, &second, hash));
	hash[0] = (uint8_t)(hash[0] + 1);
	assert_ok(key_create(fixture->db, &third, hash));
	assert_int_equal(first.organization_id, second.organization_id);
	assert_int_not_equal(first.organization_id, third.organization_id);
	assert_int_equal(key_create(fixture->db, &third, hash), DB_DUPLICATE);
}

static void the_first_revocation_counts(void **state)
{
	struct fixture *fixture = *state;
	struct key key = new_key(new_name(fixture)), found;
	struct uuid nobody = uuid_new();
	int64_t now_us = clock_now_us();
	uint8_t hash[SHA256_SIZE];

	crypto_random(hash, sizeof hash);
	assert_ok(key_create(fixture->db, &key, hash));
	assert_ok(key_revoke(fixture->db, &key.uuid, now_us));
	assert_ok(key_revoke(fixture->db, &key.uuid, now_us + US_PER_DAY));
	assert_ok(key_find(fixture->db, hash, fixture->arena, &found));
	assert_int_equal(found.revoked_at_us, now_us);
	assert_int_equal(key_revoke(fixture->db, &nobody, now_us), DB_NOT_FOUND);
}

static void keys_are_listed_with_their_organisation(void **state)
{
	struct fixture *fixture = *state;
	struct key key = new_key(new_name(fixture));
	const struct key *keys;
	size_t count;
	uint8_t hash[SHA256_SIZE];

	crypto_random(hash, sizeof hash);
	assert_ok(key_create(fixture->db, &key, hash));
	assert_ok(key_list(fixture->db, fixture->arena, &keys, &count));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(&keys[i].uuid, &key.uuid)) {
			assert_string_equal(keys[i].organization_name, key.organization_name);
			assert_string_equal(keys[i].name, "test");
			assert_int_equal(keys[i].created_at_us, key.created_at_us);
			return;
		}
	fail_msg("the key is not in the list");
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(a_key_is_found_by_its_hash),
		FIXTURE_TEST(an_organisation_is_made_once),
		FIXTURE_TEST(the_first_revocation_counts),
		FIXTURE_TEST(keys_are_listed_with_their_organisation),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
