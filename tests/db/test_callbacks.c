/* Callbacks: persons who asked to be called at an instant come first when it has come, and only if the rules allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "engine/callbacks.h"
#include "scene.h"

static enum report_result ask_back(struct scene *scene, const struct uuid *call, enum call_status status, int64_t at_us)
{
	struct call_report report = scene_report(call, status);
	enum report_result result;

	report.call_back_at.us = at_us;
	assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, clock_now_us(), &result));
	return result;
}

static int64_t position_of(struct scene *scene, int nth)
{
	char id[UUID_TEXT];

	uuid_format(&scene->calls[nth], id);
	return ask("SELECT position FROM calls WHERE id = UNHEX(REPLACE('%s', '-', ''))", id);
}

/* Returns when the contact is due, in microseconds. */
static int64_t due_of(struct scene *scene, int position)
{
	return ask("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', due_at) FROM due_contacts WHERE batch_id = %lld"
	           " AND position = %d",
	           (long long)scene->batch, position);
}

static int64_t first_callback(struct scene *scene)
{
	return ask("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', callback_at) FROM batch_calls WHERE id = %lld",
	           (long long)scene->batch);
}

static int64_t callbacks(struct scene *scene)
{
	return ask("SELECT COUNT(*) FROM callbacks WHERE batch_id = %lld", (long long)scene->batch);
}

static void claim_some(struct scene *scene, int contacts, int places)
{
	scene->config.max_concurrent_calls = places;
	scene_start(scene, contacts);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 100), places);
}

static void a_callback_comes_first_when_its_instant_has_come(void **state)
{
	struct scene *scene = *state;
	int64_t asked_us, due_us;

	claim_some(scene, 5, 1);
	asked_us = clock_now_us() + 10 * US_PER_SECOND;
	assert_int_equal(ask_back(scene, &scene->calls[0], CALL_COMPLETED, asked_us), REPORT_ACCEPTED);
	due_us = due_of(scene, 1);
	assert_in_range(due_us, asked_us, asked_us + US_PER_MS);
	clock_stand(due_us - 1);
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_int_equal(position_of(scene, 0), 2);
	scene_tell_all(scene, CALL_COMPLETED);
	clock_stand(due_us);
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_int_equal(position_of(scene, 0), 1);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_int_equal(callbacks(scene), 0);
	assert_true(first_callback(scene) == INSTANT_NEVER);
	scene_check_sums(scene);
}

/* This also holds if the low-water mark is just before the contacts that wait. */
struct promotion {
	struct scene *scene;
	int64_t low_water_us;
};

static enum db_result promote(struct db *db, void *context)
{
	struct promotion *promotion = context;

	return callbacks_promote(db, promotion->scene->batch, clock_now_us(), &promotion->low_water_us);
}

/* The claim that moved the contact could not go on, because another transaction had locked what the claim needed. */
static void a_callback_that_was_not_claimed_at_once_still_comes_first(void **state)
{
	struct scene *scene = *state;
	struct promotion promotion = { .scene = scene };

	claim_some(scene, 5, 1);
	assert_int_equal(ask_back(scene, &scene->calls[0], CALL_COMPLETED, clock_now_us() + US_PER_SECOND),
	                 REPORT_ACCEPTED);
	scene_pass(2 * US_PER_SECOND);
	promotion.low_water_us = due_of(scene, 2);
	ask("UPDATE batch_calls b JOIN due_contacts d ON d.batch_id = b.id AND d.position = 2 SET b.low_water = d.due_at"
	    " WHERE b.id = %lld",
	    (long long)scene->batch);
	assert_ok(db_transact(scene->fixture->db, DB_ONCE, promote, &promotion));
	assert_true(due_of(scene, 1) < due_of(scene, 2));
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_int_equal(position_of(scene, 0), 1);
}

static void callbacks_come_in_the_order_of_their_instants(void **state)
{
	struct scene *scene = *state;
	struct uuid first, second;
	int64_t now_us;

	claim_some(scene, 6, 2);
	first = scene->calls[0];
	second = scene->calls[1];
	now_us = clock_now_us();
	ask_back(scene, &first, CALL_COMPLETED, now_us + 20 * US_PER_SECOND);
	ask_back(scene, &second, CALL_COMPLETED, now_us + 10 * US_PER_SECOND);
	assert_true(first_callback(scene) == due_of(scene, 2));
	assert_int_equal(scene_claim(scene, 100), 2);
	scene_pass(US_PER_MINUTE);
	scene_tell_all(scene, CALL_COMPLETED);
	ask("UPDATE batch_calls SET low_water = (SELECT MIN(due_at) FROM due_contacts WHERE batch_id = %lld) WHERE id ="
	    " %lld",
	    (long long)scene->batch, (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 100), 2);
	assert_int_equal(position_of(scene, 0), 2);
	assert_int_equal(position_of(scene, 1), 1);
	scene_check_sums(scene);
}

static void an_earlier_callback_stays_the_first(void **state)
{
	struct scene *scene = *state;
	int64_t now_us;

	claim_some(scene, 3, 3);
	now_us = clock_now_us();
	ask_back(scene, &scene->calls[0], CALL_COMPLETED, now_us + 10 * US_PER_SECOND);
	ask_back(scene, &scene->calls[1], CALL_COMPLETED, now_us + 30 * US_PER_SECOND);
	assert_true(first_callback(scene) == due_of(scene, 1));
	scene_pass(11 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_true(first_callback(scene) == due_of(scene, 2)); /* the next */
	assert_int_equal(callbacks(scene), 1);
}

/* A rule moved the callback. The contact waits for the new instant, and is called first then. */
static void a_callback_that_a_rule_moved_waits_for_its_new_instant(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 5, 1);
	ask_back(scene, &scene->calls[0], CALL_COMPLETED, clock_now_us() + 10 * US_PER_SECOND);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:05:00.000123' WHERE batch_id = %lld AND position = 1",
	    (long long)scene->batch);
	scene_pass(US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_int_equal(position_of(scene, 0), 2);
	assert_true(first_callback(scene) == due_of(scene, 1));
	assert_int_equal(callbacks(scene), 1);
	scene_at("2026-06-01T08:06Z");
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 100), 1);
	assert_int_equal(position_of(scene, 0), 1);
	assert_int_equal(callbacks(scene), 0);
}

static void a_callback_waits_for_the_window(void **state)
{
	struct scene *scene = *state;

	scene->config.window_start = 8 * 60;
	scene->config.window_end = 9 * 60;
	claim_some(scene, 1, 1);
	ask_back(scene, &scene->calls[0], CALL_COMPLETED, clock_now_us() + 4 * 60 * US_PER_MINUTE);
	assert_int_equal(ask("SELECT due_at >= '2026-06-02 08:00:00' AND due_at < '2026-06-02 08:00:00.01'"
	                     " FROM due_contacts WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
	assert_int_equal(ask("SELECT retry_at = '2026-06-01 12:00:01' FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1); /* as the person asked */
}

/* A contact whose callback instant has passed meanwhile is called now. */
static void a_callback_of_the_past_is_due_now(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 2, 1);
	ask_back(scene, &scene->calls[0], CALL_COMPLETED, clock_now_us() - US_PER_MINUTE);
	assert_in_range(due_of(scene, 1), clock_now_us(), clock_now_us() + US_PER_MS);
}

static void ask_back_in_a_minute(struct scene *scene, int calls)
{
	for (int i = 0; i < calls; i++) {
		ask_back(scene, &scene->calls[0], CALL_NO_ANSWER, clock_now_us() + US_PER_MINUTE);
		scene_pass(US_PER_MINUTE + US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 100), 1);
	}
}

static void after_five_callbacks_a_request_is_not_followed(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 1, 1);
	ask_back_in_a_minute(scene, 5);
	ask_back(scene, &scene->calls[0], CALL_NO_ANSWER, clock_now_us() + US_PER_MINUTE);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld", (long long)scene->batch), 0);
	assert_int_equal(scene_batch(scene).counts.no_answer, 1);
	scene_check_sums(scene);
}

/* If no callback was made for a request, the next attempt is not a callback. */
static void a_retry_after_a_request_that_was_not_followed_is_a_retry(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 10;
	claim_some(scene, 1, 1);
	ask_back_in_a_minute(scene, 5);
	ask_back(scene, &scene->calls[0], CALL_NO_ANSWER, clock_now_us() + US_PER_MINUTE);
	scene_pass(2 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 100), 0);
	scene_pass(9 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 100), 1); /* the retry */
	ask_back(scene, &scene->calls[0], CALL_NO_ANSWER, clock_now_us() + US_PER_MINUTE);
	assert_int_equal(scene_batch(scene).counts.no_answer, 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld", (long long)scene->batch), 7);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(a_callback_comes_first_when_its_instant_has_come),
		SCENE_TEST(a_callback_that_was_not_claimed_at_once_still_comes_first),
		SCENE_TEST(callbacks_come_in_the_order_of_their_instants),
		SCENE_TEST(an_earlier_callback_stays_the_first),
		SCENE_TEST(a_callback_that_a_rule_moved_waits_for_its_new_instant),
		SCENE_TEST(a_callback_waits_for_the_window),
		SCENE_TEST(a_callback_of_the_past_is_due_now),
		SCENE_TEST(after_five_callbacks_a_request_is_not_followed),
		SCENE_TEST(a_retry_after_a_request_that_was_not_followed_is_a_retry),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
