/* Campaigns that respect the zones of their contacts: plans by groups, the claim, retries. The windows are 9 to 17,
 * every day. Tokyo is at UTC+9, Berlin at +2, New York at -4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/number_zones.h"
#include "engine/explain.h"
#include "scene.h"

#define NEVER "Asia/Tokyo America/New_York" /* where windows of eight hours are never open together */
#define HOUR (60 * US_PER_MINUTE)

/* Gives the contacts these zones in turn. '' is no zone. */
static void spread(struct scene *scene, const char *const *zones, int count)
{
	for (int i = 0; i < count; i++)
		ask("UPDATE batch_contacts SET timezone = '%s' WHERE batch_id = %lld AND position %% %d = %d", zones[i],
		    (long long)scene->batch, count, (i + 1) % count);
}

static const char *const three[] = { "Asia/Tokyo", "America/New_York", "" };

/* Contacts 1, 4, … are in Tokyo, and 2, 5, … in New York. The zone of the others is not known, so Berlin counts. */
static void create(struct scene *scene, int count)
{
	scene->config.timezone = "Europe/Berlin";
	scene->config.window_start = 9 * 60;
	scene->config.window_end = 17 * 60;
	scene->config.respect_contact_timezone = true;
	scene_create(scene, 0);
	for (int first = 1; first <= count; first += 10000)
		scene_add(scene, first, count < 10000 ? count : 10000);
	spread(scene, three, 3);
}

static void start(struct scene *scene, int count)
{
	create(scene, count);
	scene_do(scene, campaign_schedule);
	scene_plan(scene);
}

static int64_t due_in(struct scene *scene, int position, const char *offset)
{
	char zone[16], where[300];

	snprintf(zone, sizeof zone, "'%s'", offset);
	snprintf(where, sizeof where,
	         "TIME(CONVERT_TZ(due_at, '+00:00', %s)) >= '09:00' AND"
	         " TIME(CONVERT_TZ(due_at, '+00:00', %s)) < '17:00' AND position %% 3 = %d",
	         zone, zone, position % 3);
	return scene_due_where(scene, where);
}

static void leftovers_are_none(struct scene *scene)
{
	assert_int_equal(ask("SELECT COUNT(*) FROM unplanned_contacts WHERE batch_id = %lld", (long long)scene->batch), 0);
	assert_int_equal(ask("SELECT COALESCE(SUM(waiting), 0) FROM batch_zones WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 0);
}

static void contacts_are_called_in_their_own_windows(void **state)
{
	struct scene *scene = *state;

	start(scene, 30); /* 08:00Z: 17:00 in Tokyo, 10:00 in Berlin, 04:00 in New York */
	assert_int_equal(scene_due_where(scene, "attempt = 1"), 30);
	assert_int_equal(due_in(scene, 1, "+09:00"), 10);
	assert_int_equal(due_in(scene, 2, "-04:00"), 10);
	assert_int_equal(due_in(scene, 3, "+02:00"), 10);
	assert_int_equal(scene_due_where(scene, "position = 3 AND due_at < '2026-06-01 08:00:01'"), 1); /* at once */
	assert_int_equal(scene_due_where(scene, "position = 2 AND due_at = '2026-06-01 13:00:00'"), 1);
	assert_int_equal(scene_due_where(scene, "position = 1 AND due_at = '2026-06-02 00:00:00'"), 1);
	assert_int_equal(scene_due_where(scene, "position = 28 AND due_at = '2026-06-02 00:00:00.009'"), 1);
	assert_int_equal(ask("SELECT planned_until = '2026-06-02 00:00:00.009' FROM batch_calls WHERE id = %lld",
	                     (long long)scene->batch),
	                 1);
	leftovers_are_none(scene);
}

static void thirty_thousand_in_chunks(void **state)
{
	struct scene *scene = *state;

	scene->config.calls_per_minute = 600;
	start(scene, 30000);
	assert_int_equal(scene_due_where(scene, "attempt = 1"), 30000);
	assert_int_equal(due_in(scene, 1, "+09:00"), 10000);
	assert_int_equal(due_in(scene, 2, "-04:00"), 10000);
	assert_int_equal(due_in(scene, 3, "+02:00"), 10000);
	/* one pace for all of them */
	assert_int_equal(ask("SELECT COUNT(*) FROM (SELECT TIMESTAMPDIFF(MICROSECOND, LAG(due_at) OVER (ORDER BY due_at),"
	                     " due_at) AS gap FROM due_contacts WHERE batch_id = %lld) g WHERE gap < 100000",
	                     (long long)scene->batch),
	                 0);
	leftovers_are_none(scene);
}

/* The cap counts the days of the campaign's own zone. */
static void a_cap_over_all_zones(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 7;
	start(scene, 30);
	assert_int_equal(scene_due_where(scene, "attempt = 1"), 30);
	assert_int_equal(ask("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM due_contacts WHERE batch_id = %lld"
	                     " GROUP BY DATE(CONVERT_TZ(due_at, '+00:00', '+02:00'))) d",
	                     (long long)scene->batch),
	                 7);
	assert_int_equal(due_in(scene, 1, "+09:00") + due_in(scene, 2, "-04:00") + due_in(scene, 3, "+02:00"), 30);
}

/* More contacts at the front than one step plans. One of them can never be called, and takes no place from another. */
static void contacts_at_the_front_in_chunks(void **state)
{
	struct scene *scene = *state;
	int last = 10 + PLAN_ROWS + 1;

	create(scene, 10);
	scene_add(scene, 11, PLAN_ROWS + 1);
	ask("UPDATE batch_contacts SET timezone = '', front = position > 10 WHERE batch_id = %lld",
	    (long long)scene->batch);
	ask("UPDATE batch_contacts SET timezone = '%s' WHERE batch_id = %lld AND position = 20", NEVER,
	    (long long)scene->batch);
	ask("UPDATE batch_calls SET front_from = 11 WHERE id = %lld", (long long)scene->batch);
	scene_do(scene, campaign_schedule);
	scene_plan(scene);
	assert_int_equal(ask("SELECT COUNT(*) FROM (SELECT position, LAG(position) OVER (ORDER BY due_at) AS earlier FROM"
	                     " due_contacts WHERE batch_id = %lld AND position > 10) d WHERE position < earlier",
	                     (long long)scene->batch),
	                 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND position = %d AND due_at <"
	                     " '2026-06-01 08:00:00.006'",
	                     (long long)scene->batch, last),
	                 1);
	assert_int_equal(scene_due_where(scene, "attempt = 1"), last - 1);
	assert_int_equal(scene_due_where(scene, "position = 20"), 0);
}

/* Contacts for which there is no instant are reported and counted. */
static void contacts_that_can_never_be_called_are_skipped(void **state)
{
	static const char *const zones[] = { NEVER, "Asia/Tokyo" };
	struct scene *scene = *state;
	struct batch batch;

	create(scene, 10);
	spread(scene, zones, 2);
	scene_do(scene, campaign_schedule);
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "position % 2 = 0"), 5);
	assert_int_equal(scene_due_where(scene, "position % 2 = 1"), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_contacts WHERE batch_id = %lld AND status = %d AND skip_reason = "
	                     "%d",
	                     (long long)scene->batch, CONTACT_SKIPPED, SKIP_NO_CALLING_WINDOW),
	                 5);
	batch = scene_batch(scene);
	assert_int_equal(batch.counts.skipped, 5);
	assert_int_equal(batch.counts.pending, 5);
	scene_check_sums(scene);
	leftovers_are_none(scene);
}

static void no_contact_is_left_to_be_called(void **state)
{
	static const char *const zones[] = { NEVER };
	struct scene *scene = *state;

	create(scene, 10);
	spread(scene, zones, 1);
	scene_do(scene, campaign_schedule);
	scene_plan(scene);
	assert_int_equal(scene_claim(scene, 100), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(scene_batch(scene).counts.skipped, 10);
	scene_check_sums(scene);
}

/* If there is no day at all, the campaign fails. */
static void no_day_in_any_zone(void **state)
{
	struct scene *scene = *state;
	int32_t days[300];

	for (int i = 0; i < 300; i++)
		days[i] = civil_day(2026, 6, 1) + i;
	scene->config.excluded_dates = (struct field_list){ days, 300 };
	scene->config.working_days = 1;
	create(scene, 3);
	scene_do(scene, campaign_schedule);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	assert_int_equal(scene_due_where(scene, "due_at > '2027-03-20'"), 3);
	ask("UPDATE batch_calls SET working_days = 0 WHERE id = %lld", (long long)scene->batch);
	scene->config.max_calls_per_day = 5;
	assert_ok(scene_change(scene, "max_calls_per_day"));
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
}

static void contacts_are_called_only_in_their_windows(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 100;
	start(scene, 30);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 10);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND position %% 3 = 0",
	                     (long long)scene->batch),
	                 10);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_at("2026-06-01T12:59:59Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_at("2026-06-01T13:00:01Z");
	assert_int_equal(scene_claim(scene, 1000), 10);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_at("2026-06-02T00:00:01Z");
	assert_int_equal(scene_claim(scene, 1000), 10);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 1000);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	scene_check_sums(scene);
}

/* Berlin closes at 15:00Z with most of its contacts held back. The contacts in New York, which come later in the
 * queue, go on. */
static void contacts_in_a_closed_zone_delay_no_other(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 2;
	start(scene, 30);
	scene_at("2026-06-01T14:59:59Z");
	assert_int_equal(scene_claim(scene, 1000), 2);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND position %% 3 = 0"
	                     " AND expires_at = '2026-06-01 15:00:00'",
	                     (long long)scene->batch),
	                 2);
	scene_at("2026-06-01T15:00:00Z");
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 1000), 0); /* plans again */
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "position % 3 = 0 AND due_at >= '2026-06-02 07:00:00' AND due_at < "
	                                        "'2026-06-02 07:00:01'"),
	                 8);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND position %% 3 = 2",
	                     (long long)scene->batch),
	                 2);
	scene_check_sums(scene);
}

static void no_contact_is_called_just_before_its_own_window_closes(void **state)
{
	struct scene *scene = *state;

	start(scene, 3);
	scene_at("2026-06-01T14:59:59.5Z");
	assert_int_equal(scene_claim(scene, 1000), 0); /* plans again, for the day after */
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "position = 3 AND due_at >= '2026-06-02 07:00:00'"), 1);
	assert_int_equal(ask("SELECT attempts FROM batch_contacts WHERE batch_id = %lld AND position = 3",
	                     (long long)scene->batch),
	                 0);
}

/* A call in New York fails an hour before the window ends there. The delay of the retry ends after the window. */
static void retries_wait_for_their_own_window(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 90;
	start(scene, 3);
	scene_at("2026-06-01T20:00:00Z");
	assert_int_equal(scene_claim(scene, 1000), 0); /* the contact in Berlin was late, and is planned again */
	scene_plan(scene);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_tell_all(scene, CALL_BUSY);
	assert_int_equal(scene_due_where(scene, "position = 2 AND attempt = 2 AND due_at >= '2026-06-02 13:00:00'"
	                                        " AND due_at < '2026-06-02 13:00:01'"),
	                 1);
	scene_at("2026-06-02T13:00:01Z");
	for (int i = 0; i < 3; i++) { /* Tokyo and Berlin were late */
		scene_claim(scene, 1000);
		scene_plan(scene);
		scene_pass(US_PER_SECOND);
	}
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND position = 2 AND attempt = 2",
	                     (long long)scene->batch),
	                 1);
	scene_check_sums(scene);
}

/* A retry in Berlin comes first in the queue, at an instant at which it cannot be called any more. New York is called,
 * and nothing is planned again. */
static void late_retry_moves_alone(struct scene *scene, const char *instant)
{
	long long batch;

	start(scene, 6000);
	batch = scene->batch;
	ask("UPDATE due_contacts SET due_at = due_at + INTERVAL 1 DAY WHERE batch_id = %lld AND position %% 3 = 0", batch);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 12:00:00.000002', attempt = 2 WHERE batch_id = %lld"
	    " AND position = 3",
	    batch);
	scene_at(instant);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).work, BATCH_WORK_DISPATCH);
	assert_int_equal(
		scene_due_where(scene, "position = 3 AND due_at >= '2026-06-02 07:00:00' AND due_at < '2026-06-02 07:00:01'"),
		1);
	assert_int_equal(scene_claim(scene, 1000), 10);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND position %% 3 = 2", batch), 10);
}

static void a_late_retry_of_a_large_campaign_moves_alone(void **state)
{
	late_retry_moves_alone(*state, "2026-06-01T15:30:00Z");
}

static void a_retry_in_the_last_second_of_its_window_moves_alone(void **state)
{
	late_retry_moves_alone(*state, "2026-06-01T14:59:59.5Z");
}

/* A zone that cannot be read holds back only the contacts in this zone. They are planned when the zone can be read. */
static void a_zone_that_cannot_be_read(void **state)
{
	static const char *const zones[] = { "Asia/Atlantis", "Europe/Berlin", "America/Atlantis" };
	struct scene *scene = *state;
	struct explanation why;
	struct batch batch;

	create(scene, 9);
	spread(scene, zones, 3);
	scene_do(scene, campaign_schedule);
	scene_plan(scene);
	batch = scene_batch(scene);
	assert_string_equal(batch.zone_trouble, "time zone Asia/Atlantis cannot be read: this host has no file for it"
	                                        " (6 contacts wait)");
	assert_int_equal(batch.counts.pending, 9);
	assert_int_equal(batch.work, BATCH_WORK_DISPATCH);
	assert_int_equal(scene_due_where(scene, "position % 3 = 2"), 3);
	assert_int_equal(scene_due_where(scene, "1"), 3);
	assert_ok(explain_contact(scene->fixture->db, &batch, 1, clock_now_us(), scene->fixture->arena, &why));
	assert_true(why.waits);
	assert_int_equal(why.waits_for, GATE_CONTACT_TIME_ZONE);
	assert_string_equal(why.reason, "It waits: time zone Asia/Atlantis cannot be read: this host has no file for it.");
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_pass(HOUR);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_ACTIVE);
	assert_true(scene_batch(scene).wake_at_us <= clock_now_us() + 5 * US_PER_SECOND);
	/* one of the two zones can be read again */
	ask("UPDATE batch_zones SET zones = 'Europe/Paris' WHERE batch_id = %lld AND zones = 'Asia/Atlantis'",
	    (long long)scene->batch);
	ask("UPDATE batch_contacts SET timezone = 'Europe/Paris' WHERE batch_id = %lld AND timezone = 'Asia/Atlantis'",
	    (long long)scene->batch);
	scene_pass(5 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0); /* plans */
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "position % 3 = 1"), 3);
	assert_string_equal(scene_batch(scene).zone_trouble,
	                    "time zone America/Atlantis cannot be read: this host has no file"
	                    " for it (3 contacts wait)");
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_do(scene, campaign_pause);
	ask("UPDATE batch_zones SET zones = 'Europe/Rome' WHERE batch_id = %lld AND zones = 'America/Atlantis'",
	    (long long)scene->batch);
	ask("UPDATE batch_contacts SET timezone = 'Europe/Rome' WHERE batch_id = %lld AND timezone = 'America/Atlantis'",
	    (long long)scene->batch);
	scene_do(scene, campaign_resume);
	scene_claim(scene, 1000);
	scene_plan(scene);
	assert_string_equal(scene_batch(scene).zone_trouble, "");
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 1000);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(scene_batch(scene).counts.completed, 9);
	scene_check_sums(scene);
	leftovers_are_none(scene);
}

/* The zone disappears between the plan and the call, between two calls, and for a retry of a large campaign. */
static void a_zone_that_is_lost(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 2;
	start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	ask("UPDATE batch_contacts SET timezone = 'Asia/Atlantis' WHERE batch_id = %lld AND position = 3",
	    (long long)scene->batch);
	scene_tell_all(scene, CALL_BUSY); /* a retry follows; the rules are judged when it is due */
	assert_int_equal(scene_due_where(scene, "position = 3 AND attempt = 2"), 1);
	scene_at("2026-06-01T12:00:00Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_plan(scene);
	assert_int_equal(scene_batch(scene).counts.busy, 0);
	assert_int_equal(scene_batch(scene).counts.skipped, 0);
	assert_int_equal(scene_batch(scene).counts.pending, 3);
	assert_int_equal(scene_due_where(scene, "position = 3"), 0);
	assert_string_equal(scene_batch(scene).zone_trouble, "time zone Asia/Atlantis cannot be read: this host has no file"
	                                                     " for it (1 contact waits)");
	scene_check_sums(scene);
}

static void a_lost_zone_of_a_large_campaign(void **state)
{
	struct scene *scene = *state;
	long long batch;

	start(scene, 6000);
	batch = scene->batch;
	ask("UPDATE due_contacts SET due_at = due_at + INTERVAL 1 DAY WHERE batch_id = %lld AND position %% 3 = 0", batch);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 12:00:00.000002', attempt = 2 WHERE batch_id = %lld"
	    " AND position = 3",
	    batch);
	ask("UPDATE batch_contacts SET timezone = 'Asia/Atlantis' WHERE batch_id = %lld AND position = 3", batch);
	scene_at("2026-06-01T15:30:00Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).work, BATCH_WORK_DISPATCH);
	assert_int_equal(
		scene_due_where(scene, "position = 3 AND due_at >= '2026-06-01 15:31:00' AND due_at < '2026-06-01 15:31:01'"),
		1);
	assert_string_equal(scene_batch(scene).zone_trouble,
	                    "time zone Asia/Atlantis cannot be read: this host has no file for it");
	assert_int_equal(scene_claim(scene, 1000), 10);
	ask("UPDATE batch_contacts SET timezone = 'Europe/Berlin' WHERE batch_id = %lld AND position = 3", batch);
	ask("UPDATE batch_calls SET zone_trouble = 'time zone Europe/Berlin cannot be read' WHERE id = %lld", batch);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_pass(US_PER_SECOND);
	scene_claim(scene, 1);
	assert_string_equal(scene_batch(scene).zone_trouble, "");
}

/* The campaign's zone cannot be read: in a plan, in a claim, in a change. The campaign goes on by itself. */
static void the_zone_of_the_campaign(void **state)
{
	struct scene *scene = *state;

	scene->config.window_start = 9 * 60;
	scene->config.window_end = 17 * 60;
	scene_create(scene, 10);
	ask("UPDATE batch_calls SET timezone = 'Asia/Atlantis' WHERE id = %lld", (long long)scene->batch);
	scene_do(scene, campaign_schedule);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	assert_int_equal(scene_batch(scene).counts.pending, 10);
	assert_string_equal(scene_batch(scene).zone_trouble,
	                    "time zone Asia/Atlantis cannot be read: this host has no file for it");
	assert_int_equal(scene_batch(scene).wake_at_us, clock_now_us() + 5 * US_PER_SECOND);
	scene_pass(5 * US_PER_SECOND);
	scene_claim(scene, 1000);
	assert_int_equal(scene_due_where(scene, "1"), 0);
	ask("UPDATE batch_calls SET timezone = 'Europe/Berlin' WHERE id = %lld", (long long)scene->batch);
	scene_pass(5 * US_PER_SECOND);
	scene_plan(scene);
	assert_string_equal(scene_batch(scene).zone_trouble, "");
	assert_int_equal(scene_due_where(scene, "1"), 10);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 3), 3);
	ask("UPDATE batch_calls SET timezone = 'Asia/Atlantis' WHERE id = %lld", (long long)scene->batch);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_ACTIVE);
	assert_int_equal(scene_batch(scene).counts.pending, 7);
	assert_string_equal(scene_batch(scene).zone_trouble,
	                    "time zone Asia/Atlantis cannot be read: this host has no file for it");
	ask("UPDATE batch_calls SET timezone = 'Europe/Berlin' WHERE id = %lld", (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 1000), 0); /* a scheduler looks at the zone again after five seconds */
	scene_pass(5 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 7);
	assert_string_equal(scene_batch(scene).zone_trouble, "");
	scene->config.timezone = "Asia/Atlantis";
	scene_do(scene, campaign_pause);
	assert_int_equal(scene_change(scene, "timezone"), DB_REFUSED);
	assert_string_equal(scene_batch(scene).config.timezone, "Europe/Berlin");
	scene_check_sums(scene);
}

static void contacts_that_are_added(void **state)
{
	struct scene *scene = *state;

	start(scene, 6);
	scene_add(scene, 100, 3);
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "1"), 9);
	/* after the last planned contact; Berlin opens then */
	assert_int_equal(scene_due_where(scene, "position > 6 AND due_at >= '2026-06-02 07:00:00'"), 3);
	leftovers_are_none(scene);
}

/* The rule is switched on and off, also while a plan is being written. */
static void the_rule_comes_and_goes(void **state)
{
	struct scene *scene = *state;

	create(scene, 30000);
	scene_do(scene, campaign_schedule);
	assert_true(scene_batch(scene).work == BATCH_WORK_PLAN);
	assert_true(ask("SELECT COUNT(*) FROM unplanned_contacts WHERE batch_id = %lld", (long long)scene->batch) > 0);
	scene->config.respect_contact_timezone = false;
	assert_ok(scene_change(scene, "respect_contact_timezone"));
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "due_at < '2026-06-01 08:01'"), 30000);
	scene->config.respect_contact_timezone = true;
	assert_ok(scene_change(scene, "respect_contact_timezone"));
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "1"), 30000);
	assert_int_equal(due_in(scene, 1, "+09:00") + due_in(scene, 2, "-04:00") + due_in(scene, 3, "+02:00"), 30000);
	leftovers_are_none(scene);
}

static void a_pause_and_what_became_late(void **state)
{
	struct scene *scene = *state;

	start(scene, 30);
	scene_do(scene, campaign_pause);
	scene_at("2026-06-03T10:00:00Z");
	scene_do(scene, campaign_resume);
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "due_at >= '2026-06-03 10:00:00'"), 30);
	assert_int_equal(due_in(scene, 1, "+09:00") + due_in(scene, 2, "-04:00") + due_in(scene, 3, "+02:00"), 30);
}

static void no_rows_are_left_behind(void **state)
{
	struct scene *scene = *state;

	create(scene, 30000);
	scene_do(scene, campaign_schedule);
	scene_do(scene, campaign_cancel);
	scene_do(scene, campaign_delete);
	while (ask("SELECT COUNT(*) FROM batch_calls WHERE id = %lld", (long long)scene->batch) != 0)
		scene_purge(scene);
	assert_int_equal(ask("SELECT COUNT(*) FROM unplanned_contacts WHERE batch_id = %lld", (long long)scene->batch), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_zones WHERE batch_id = %lld", (long long)scene->batch), 0);
}

/* This test is the last, because a process reads the table of numbers only once. */
static void zones_by_the_number(void **state)
{
	struct scene *scene = *state;
	char path[] = "/tmp/outdial-number-zones-XXXXXX";
	static const char table[] =
		"1|America/New_York&America/Los_Angeles\n49|Europe/Berlin\n4900|Asia/Tokyo&America/New_York\n";
	int file = mkstemp(path);

	assert_int_equal(write(file, table, strlen(table)), (ssize_t)strlen(table));
	assert_int_equal(close(file), 0);
	number_zones_load(path);
	assert_int_equal(unlink(path), 0);
	create(scene, 3);
	spread(scene, (const char *const[]){ "" }, 1);
	ask("UPDATE batch_contacts SET phone_number = '+12125550100' WHERE batch_id = %lld AND position = 1",
	    (long long)scene->batch);
	ask("UPDATE batch_contacts SET phone_number = '+493012345' WHERE batch_id = %lld AND position = 2",
	    (long long)scene->batch);
	ask("UPDATE batch_contacts SET phone_number = '+490012345' WHERE batch_id = %lld AND position = 3",
	    (long long)scene->batch);
	scene_do(scene, campaign_schedule);
	scene_plan(scene);
	/* open in New York and in Los Angeles; in Berlin; never in Tokyo and New York */
	assert_int_equal(scene_due_where(scene, "position = 1 AND due_at = '2026-06-01 16:00:00'"), 1);
	assert_int_equal(scene_due_where(scene, "position = 2 AND due_at < '2026-06-01 08:00:01'"), 1);
	assert_int_equal(scene_batch(scene).counts.skipped, 1);
	scene_check_sums(scene);
	scene_at("2026-06-01T16:00:01Z");
	scene_claim(scene, 10);
	scene_plan(scene);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
	assert_int_equal(ask("SELECT expires_at < '2026-06-01 21:00:00' FROM calls WHERE batch_id = %lld AND position = 1",
	                     (long long)scene->batch),
	                 1);
}

/* The explanation shows a contact or campaign whose window never opens, and a zone that cannot be read. */
static void a_window_that_never_opens_is_explained(void **state)
{
	struct scene *scene = *state;
	struct explanation explanation;
	struct batch batch;

	start(scene, 3);
	ask("UPDATE batch_contacts SET timezone = '" NEVER "' WHERE batch_id = %lld AND position = 1",
	    (long long)scene->batch);
	batch = scene_batch(scene);
	assert_ok(explain_contact(scene->fixture->db, &batch, 1, clock_now_us(), scene->fixture->arena, &explanation));
	assert_int_equal(explanation.next_at_us, INSTANT_NEVER);
	assert_int_equal(explanation.waits_for, GATE_CONTACT_WINDOW);
	assert_int_equal(gate_room(GATE_CONTACT_WINDOW, &explanation.facts), 0);
	assert_int_equal(gate_opens_at(GATE_CONTACT_WINDOW, &explanation.facts), INSTANT_NEVER);
	ask("UPDATE batch_calls SET timezone = 'Gone/Away' WHERE id = %lld", (long long)scene->batch);
	batch = scene_batch(scene);
	assert_ok(explain_contact(scene->fixture->db, &batch, 2, clock_now_us(), scene->fixture->arena, &explanation));
	assert_int_equal(explanation.waits_for, GATE_TIME_ZONE);
	assert_int_equal(gate_room(GATE_TIME_ZONE, &explanation.facts), 0);
	ask("UPDATE batch_calls SET timezone = 'UTC', respect_contact_timezone = 0, working_days = 0 WHERE id = %lld",
	    (long long)scene->batch);
	batch = scene_batch(scene);
	assert_ok(explain_contact(scene->fixture->db, &batch, 2, clock_now_us(), scene->fixture->arena, &explanation));
	assert_int_equal(explanation.waits_for, GATE_WINDOW);
	assert_int_equal(gate_room(GATE_WINDOW, &explanation.facts), 0);
	assert_int_equal(gate_opens_at(GATE_WINDOW, &explanation.facts), INSTANT_NEVER);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(contacts_are_called_in_their_own_windows),
		SCENE_TEST(thirty_thousand_in_chunks),
		SCENE_TEST(a_cap_over_all_zones),
		SCENE_TEST(contacts_at_the_front_in_chunks),
		SCENE_TEST(contacts_that_can_never_be_called_are_skipped),
		SCENE_TEST(no_contact_is_left_to_be_called),
		SCENE_TEST(no_day_in_any_zone),
		SCENE_TEST(contacts_are_called_only_in_their_windows),
		SCENE_TEST(contacts_in_a_closed_zone_delay_no_other),
		SCENE_TEST(no_contact_is_called_just_before_its_own_window_closes),
		SCENE_TEST(retries_wait_for_their_own_window),
		SCENE_TEST(a_late_retry_of_a_large_campaign_moves_alone),
		SCENE_TEST(a_retry_in_the_last_second_of_its_window_moves_alone),
		SCENE_TEST(a_zone_that_cannot_be_read),
		SCENE_TEST(a_zone_that_is_lost),
		SCENE_TEST(a_lost_zone_of_a_large_campaign),
		SCENE_TEST(the_zone_of_the_campaign),
		SCENE_TEST(contacts_that_are_added),
		SCENE_TEST(the_rule_comes_and_goes),
		SCENE_TEST(a_pause_and_what_became_late),
		SCENE_TEST(no_rows_are_left_behind),
		SCENE_TEST(zones_by_the_number),
		SCENE_TEST(a_window_that_never_opens_is_explained),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
