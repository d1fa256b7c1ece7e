/* Calls for dialers that fetch them: which calls a fetch returns, and which not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "engine/fetch.h"
#include "scene.h"

#define LEASE_US (30 * US_PER_SECOND)

struct fetching {
	struct scene *scene;
	int limit;
	struct fetched fetched;
};

static enum db_result run_fetch(struct db *db, void *context)
{
	struct fetching *fetching = context;
	struct fetch fetch = {
		.who = { .organization_id = fetching->scene->fixture->organization_id },
		.limit = fetching->limit,
		.lease_us = LEASE_US,
		.dispatch_ttl_us = 120 * US_PER_SECOND,
		.give_up_after_us = US_PER_DAY,
	};

	return fetch_calls(db, &fetch, fetching->scene->fixture->arena, &fetching->fetched);
}

/* Returns how many calls it got. Their ids are in scene->calls. */
static int fetch_by(struct db *db, struct scene *scene, int limit)
{
	struct fetching fetching = { .scene = scene, .limit = limit };

	assert_ok(db_transact(db, DB_ONCE, run_fetch, &fetching));
	for (int i = 0; i < fetching.fetched.count; i++)
		scene->calls[i] = fetching.fetched.calls[i].id;
	return scene->call_count = fetching.fetched.count;
}

static int fetch(struct scene *scene, int limit)
{
	return fetch_by(scene->fixture->db, scene, limit);
}

/* Starts a campaign whose dialer fetches its calls, and fetches `count` of them. */
static void fetch_some(struct scene *scene, int contacts, int count)
{
	ask("UPDATE webhook_endpoints SET url = 'pull:' WHERE id = %lld", (long long)scene->webhook_row);
	scene_start(scene, contacts);
	scene_pass(US_PER_SECOND);
	assert_int_equal(fetch(scene, count), count);
}

/* Does what a scheduler does when leases have ended: the calls are offered again. */
static void end_leases(struct scene *scene)
{
	scene_pass(LEASE_US + US_PER_SECOND);
	ask("UPDATE calls SET wake_at = expires_at WHERE batch_id = %lld", (long long)scene->batch);
}

static void a_call_is_offered_again_when_its_lease_has_ended(void **state)
{
	struct scene *scene = *state;
	struct uuid call;

	fetch_some(scene, 1, 1);
	call = scene->calls[0];
	assert_int_equal(scene_of_calls(scene, "wake_at = called_at + INTERVAL 29999999 MICROSECOND AND tries = 1"), 1);
	assert_int_equal(fetch(scene, 10), 0);
	end_leases(scene);
	assert_int_equal(fetch(scene, 10), 1);
	assert_true(uuid_equal(&scene->calls[0], &call));
	assert_int_equal(scene_of_calls(scene, "TIMESTAMPDIFF(MICROSECOND, called_at, wake_at)"),
	                 (31 + 30) * US_PER_SECOND - 1);
	assert_int_equal(fetch(scene, 10), 0);
	assert_int_equal(scene_tell(scene, &call, CALL_BUSY), REPORT_ACCEPTED);
	end_leases(scene);
	assert_int_equal(fetch(scene, 10), 0);
	scene_check_sums(scene);
}

static void a_fetch_gets_no_more_than_its_limit(void **state)
{
	struct scene *scene = *state;

	fetch_some(scene, 8, 2);
	end_leases(scene);
	assert_int_equal(fetch(scene, 3), 3); /* two again, and one more */
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(fetch(scene, 1), 1);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 4);
}

/* Calls that other dialers have do not count for the limit. */
static void a_fetch_finds_the_call_that_is_offered(void **state)
{
	struct scene *scene = *state;
	struct uuid last;

	fetch_some(scene, 3, 3);
	last = scene->calls[2];
	ask("UPDATE calls SET wake_at = expires_at WHERE batch_id = %lld AND position = 3", (long long)scene->batch);
	assert_int_equal(fetch(scene, 1), 1);
	assert_true(uuid_equal(&scene->calls[0], &last));
}

static void an_expired_call_is_not_offered(void **state)
{
	struct scene *scene = *state;

	fetch_some(scene, 1, 1);
	end_leases(scene);
	scene_pass(120 * US_PER_SECOND);
	assert_int_equal(fetch(scene, 10), 0);
	assert_int_equal(scene_of_calls(scene, "tries"), 1);
}

static void a_listed_number_is_not_given_out_again(void **state)
{
	struct scene *scene = *state;

	fetch_some(scene, 2, 2);
	end_leases(scene);
	ask("INSERT INTO do_not_call SELECT organization_id, to_number, '', '2026-06-01' FROM calls WHERE batch_id = %lld"
	    " AND position = 1",
	    (long long)scene->batch);
	assert_int_equal(fetch(scene, 10), 1);
	assert_int_equal(scene_of_calls(scene, "SUM(status = 9 AND end_reason = 'do_not_call' AND position = 1)"), 1);
	scene_check_sums(scene);
}

static void a_paused_campaign_gives_nothing_out(void **state)
{
	struct scene *scene = *state;

	fetch_some(scene, 3, 1);
	end_leases(scene);
	scene_do(scene, campaign_pause);
	assert_int_equal(fetch(scene, 10), 0);
	assert_int_equal(scene_of_calls(scene, "SUM(status = 0 AND expires_at = '1000-01-01')"),
	                 1); /* it waits in the plan */
	scene_check_sums(scene);
}

static void a_cancelled_campaign_gives_nothing_out(void **state)
{
	struct scene *scene = *state;

	fetch_some(scene, 3, 1);
	end_leases(scene);
	scene_do(scene, campaign_cancel);
	assert_int_equal(fetch(scene, 10), 0);
	assert_int_equal(scene_of_calls(scene, "SUM(status = 9 AND end_reason = 'campaign_over')"), 1);
}

static void a_dialer_that_is_switched_off_fetches_nothing(void **state)
{
	struct scene *scene = *state;

	fetch_some(scene, 3, 1);
	end_leases(scene);
	ask("UPDATE webhook_endpoints SET disabled = 1 WHERE id = %lld", (long long)scene->webhook_row);
	assert_int_equal(fetch(scene, 10), 0);
	assert_int_equal(scene_of_calls(scene, "SUM(tries)"), 1);
}

static enum db_result fetch_meanwhile(struct db *db, void *context)
{
	struct fetching *fetching = context;
	struct db *other = db_new(fixture_option_file());
	int64_t began_us = clock_mono_us();

	DB_TRY(run_fetch(db, fetching));
	assert_int_equal(fetch_by(other, fetching->scene, 10), 0);
	assert_true(clock_mono_us() - began_us < 2 * US_PER_SECOND);
	db_free(other);
	return DB_OK;
}

static void two_fetches_at_once_get_no_call_twice(void **state)
{
	struct scene *scene = *state;
	struct fetching fetching = { .scene = scene, .limit = 10 };

	fetch_some(scene, 4, 2);
	end_leases(scene);
	assert_ok(transact_once(scene->fixture->db, fetch_meanwhile, &fetching));
	assert_int_equal(fetching.fetched.count, 4);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 4);
	assert_int_equal(scene_of_calls(scene, "SUM(tries)"), 6);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(a_call_is_offered_again_when_its_lease_has_ended),
		SCENE_TEST(a_fetch_gets_no_more_than_its_limit),
		SCENE_TEST(a_fetch_finds_the_call_that_is_offered),
		SCENE_TEST(an_expired_call_is_not_offered),
		SCENE_TEST(a_listed_number_is_not_given_out_again),
		SCENE_TEST(a_paused_campaign_gives_nothing_out),
		SCENE_TEST(a_cancelled_campaign_gives_nothing_out),
		SCENE_TEST(a_dialer_that_is_switched_off_fetches_nothing),
		SCENE_TEST(two_fetches_at_once_get_no_call_twice),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
