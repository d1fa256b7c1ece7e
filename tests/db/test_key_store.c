/* API keys: they are found by their hash, they belong to an organisation, and a revoked key stays revoked. */
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
		.uuid = uuid_new(),
		.name = "test",
		.organization_name = organization,
		.scopes = SCOPE_BIT(SCOPE_READ) | SCOPE_BIT(SCOPE_REPORTS),
		.expires_at_us = INSTANT_NEVER,
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
	assert_ok(key_revoke(fixture->db, 0, &key.uuid, now_us));
	assert_ok(key_revoke(fixture->db, 0, &key.uuid, now_us + US_PER_DAY));
	assert_ok(key_find(fixture->db, hash, fixture->arena, &found));
	assert_int_equal(found.revoked_at_us, now_us);
	assert_int_equal(key_revoke(fixture->db, 0, &nobody, now_us), DB_NOT_FOUND);
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

static void an_organisation_sees_and_revokes_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct key mine = new_key("?"), theirs = new_key(new_name(fixture));
	const struct page page = { .limit = 1 };
	const struct key *newest;
	struct listing listing;
	uint8_t hash[SHA256_SIZE];

	crypto_random(hash, sizeof hash);
	assert_ok(key_create(fixture->db, &theirs, hash));
	mine.organization_id = fixture->organization_id;
	crypto_random(hash, sizeof hash);
	assert_ok(key_insert(fixture->db, &mine, hash));
	assert_ok(key_list_of(fixture->db, fixture->organization_id, &page, fixture->arena, &listing));
	newest = listing.items;
	assert_int_equal(listing.count, 1);
	assert_int_equal(listing.total, 2); /* with the key of the fixture */
	assert_true(uuid_equal(&newest->uuid, &mine.uuid));
	assert_int_equal(key_revoke(fixture->db, fixture->organization_id, &theirs.uuid, clock_now_us()), DB_NOT_FOUND);
	assert_ok(key_revoke(fixture->db, fixture->organization_id, &mine.uuid, clock_now_us()));
}

static void a_use_is_noted_once_a_minute(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = ask("SELECT id FROM api_keys WHERE organization_id = %lld", (long long)fixture->organization_id);
	int64_t now_us = clock_now_us(), later_us = now_us + 61 * US_PER_SECOND;
	const struct page page = { .limit = 1 };
	const int64_t uses[][2] = { { now_us, now_us }, { now_us + 59 * US_PER_SECOND, now_us }, { later_us, later_us } };
	struct listing listing;

	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
		assert_ok(key_note_use(fixture->db, id, uses[i][0]));
		assert_ok(key_list_of(fixture->db, fixture->organization_id, &page, fixture->arena, &listing));
		assert_int_equal(((const struct key *)listing.items)->last_used_at_us, uses[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(a_key_is_found_by_its_hash),
		FIXTURE_TEST(an_organisation_is_made_once),
		FIXTURE_TEST(the_first_revocation_counts),
		FIXTURE_TEST(keys_are_listed_with_their_organisation),
		FIXTURE_TEST(an_organisation_sees_and_revokes_its_own),
		FIXTURE_TEST(a_use_is_noted_once_a_minute),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
