/* The ledger: every decision is in it, sealed in one chain, and every change of it is found. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "engine/ledger_chain.h"
#include "engine/ledger_verify.h"
#include "scene.h"
#include "store/do_not_call_store.h"
#include "store/ledger_store.h"
#include "store/organization_store.h"

#define FIRST_NUMBER "+49000000001"
#define SEALERS 4

static int64_t organization_of(const struct scene *scene)
{
	return scene->fixture->organization_id;
}

static void seal_all(struct scene *scene)
{
	bool more;
	int found;

	do
		assert_ok(ledger_seal_step(scene->fixture->db, clock_now_us(), &found, &more));
	while (found > 0);
}

static struct ledger_verdict verify(struct scene *scene, const struct ledger_noted *noted)
{
	struct ledger_verdict verdict;

	assert_ok(ledger_verify(scene->fixture->db, organization_of(scene), noted, &verdict));
	return verdict;
}

static void assert_sound(struct scene *scene, int64_t decisions)
{
	struct ledger_verdict verdict = verify(scene, NULL);

	assert_null(verdict.fault);
	assert_int_equal(verdict.decisions, decisions);
}

/* The n-th decision about a number, from 0 on, as text; NULL: there are no more. */
static const char *decision(struct scene *scene, const char *phone_number, int64_t n)
{
	struct ledger_filter filter = { phone_number, INSTANT_NONE, INSTANT_NEVER };
	struct page page = { .limit = 1, .offset = n };
	const struct ledger_decided *decided;
	struct listing listing;

	assert_ok(ledger_list(scene->fixture->db, organization_of(scene), &filter, &page, scene->fixture->arena, &listing));
	if (listing.count == 0)
		return NULL;
	decided = listing.items;
	return arena_strndup(scene->fixture->arena, decided->what.data, decided->what.len);
}

static void assert_says(struct scene *scene, const char *phone_number, int64_t n, const char *member)
{
	const char *what = decision(scene, phone_number, n);

	assert_non_null(what);
	if (strstr(what, member) == NULL)
		fail_msg("%s is not in %s", member, what);
}

static void call_all(struct scene *scene, int contacts)
{
	scene_start(scene, contacts);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), contacts);
	scene_tell_all(scene, CALL_NO_ANSWER);
}

static void a_call_and_its_end_are_in_the_ledger(void **state)
{
	struct scene *scene = *state;

	call_all(scene, 5);
	seal_all(scene);
	assert_sound(scene, 10);
	assert_says(scene, FIRST_NUMBER, 0, "\"decision\":\"call\"");
	assert_says(scene, FIRST_NUMBER, 0, "\"from\":\"+1800555000");
	assert_says(scene, FIRST_NUMBER, 0, "\"timezone\":\"UTC\",\"local_time\":\"2026-06-01T08:00:");
	assert_says(scene, FIRST_NUMBER, 0, "\"do_not_call_version\":0}");
	assert_says(scene, FIRST_NUMBER, 1, "\"decision\":\"outcome\"");
	assert_says(scene, FIRST_NUMBER, 1, "\"status\":\"no_answer\",\"reason\":null,\"by\":\"dialer\"}");
	assert_null(decision(scene, FIRST_NUMBER, 2));
	assert_int_equal(ask("SELECT COUNT(*) FROM ledger_drafts WHERE organization_id = %lld",
	                     (long long)organization_of(scene)),
	                 0);
}

static void skipped_contacts_are_in_the_ledger(void **state)
{
	struct scene *scene = *state;
	static const char *const listed[] = { FIRST_NUMBER };
	int64_t added, version;

	scene_start(scene, 2);
	assert_ok(do_not_call_add(scene->fixture->db, organization_of(scene), listed, 1, "", clock_now_us(), &added));
	assert_ok(do_not_call_version(scene->fixture->db, organization_of(scene), &version));
	assert_true(version > 0);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	seal_all(scene);
	assert_says(scene, FIRST_NUMBER, 0, "\"decision\":\"skip\"");
	assert_says(scene, FIRST_NUMBER, 0,
	            arena_printf(scene->fixture->arena, "\"rule\":\"do_not_call\",\"do_not_call_version\":%lld}",
	                         (long long)version));
	assert_ok(do_not_call_add(scene->fixture->db, organization_of(scene), listed, 1, "", clock_now_us(), &added));
	assert_int_equal(added, 0);
	assert_ok(do_not_call_version(scene->fixture->db, organization_of(scene), &added));
	assert_int_equal(added, version); /* nothing changed */
}

static void contacts_that_limits_defer_are_in_the_ledger(void **state)
{
	struct scene *scene = *state;
	struct contact_limit limit = { .max_attempts = 1, .period_hours = 24 };
	struct organization organization = {
		.id = organization_of(scene),
		.updated_at_us = clock_now_us(),
		.limits = { .list = { &limit, 1 } },
	};

	assert_ok(organization_save_limits(scene->fixture->db, &organization));
	call_all(scene, 1);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	seal_all(scene);
	assert_says(scene, FIRST_NUMBER, 0, "\"contact_limits\":\"1/24h\",\"contact_rest_hours\":0,");
	assert_says(scene, FIRST_NUMBER, 2, "\"decision\":\"defer\"");
	assert_says(scene, FIRST_NUMBER, 2, "\"until\":\"2026-06-02T08:00:");
}

/* A wait of less than a minute is not a decision. Two campaigns of one claim have the same contact. */
static void short_waits_are_not_in_the_ledger(void **state)
{
	struct scene *scene = *state;
	struct organization organization = {
		.id = organization_of(scene),
		.updated_at_us = clock_now_us(),
		.limits = { .rest_hours = 1 },
	};

	assert_ok(organization_save_limits(scene->fixture->db, &organization));
	scene_start(scene, 1);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	seal_all(scene);
	assert_sound(scene, 1);
	scene_pass(5 * US_PER_SECOND); /* the call goes on: the contact waits for exactly a minute */
	assert_int_equal(scene_claim(scene, 1000), 0);
	seal_all(scene);
	assert_sound(scene, 2);
	assert_says(scene, FIRST_NUMBER, 1, "\"decision\":\"defer\"");
}

static void a_new_plan_is_in_the_ledger(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 1;
	scene_start(scene, 2);
	scene->config.max_calls_per_day = 0;
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:00' WHERE batch_id = %lld", (long long)scene->batch);
	ask("UPDATE batch_calls SET low_water = '1000-01-01', wake_at = '2026-06-01 08:00:00' WHERE id = %lld",
	    (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	seal_all(scene);
	assert_says(scene, "", 0, "\"decision\":\"replan\"");
	assert_says(scene, "", 0, "\"rule\":\"daily_cap\",\"until\":\"2026-06-02T00:00:00");
}

/* A chain of several blocks. */
static void seal_three(struct scene *scene)
{
	for (int i = 0; i < 3; i++) {
		call_all(scene, 2);
		seal_all(scene);
		scene_pass(US_PER_MINUTE);
	}
	assert_int_equal(verify(scene, NULL).blocks, 3);
	assert_sound(scene, 12);
}

static void assert_faulty(struct scene *scene, int64_t seq)
{
	struct ledger_verdict verdict = verify(scene, NULL);

	assert_non_null(verdict.fault);
	assert_int_equal(verdict.bad_seq, seq);
}

static void a_changed_decision_is_found(void **state)
{
	static const char *const changes[] = {
		"UPDATE ledger SET decisions = INSERT(decisions, 30, 1, '7')",                      /* a digit of an instant */
		"UPDATE ledger SET decisions = REPLACE(decisions, '+49000000001', '+49000000009')", /* the number */
		"UPDATE ledger SET sealed_at = sealed_at + INTERVAL 1 SECOND",
		"UPDATE ledger SET decisions = SUBSTRING(decisions, LOCATE(CHAR(10), decisions) + 1)", /* a line less */
		"UPDATE ledger SET decisions = CONCAT(decisions, SUBSTRING_INDEX(decisions, CHAR(10), 1), CHAR(10))",
		"UPDATE ledger SET hash = REPEAT('0', 64)",
		"DELETE FROM ledger",
	};
	struct scene *scene = *state;

	seal_three(scene);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		ask("CREATE TABLE ledger_before AS SELECT * FROM ledger WHERE organization_id = %lld AND seq = 2",
		    (long long)organization_of(scene));
		ask("%s WHERE organization_id = %lld AND seq = 2", changes[i], (long long)organization_of(scene));
		assert_faulty(scene, 2);
		ask("REPLACE INTO ledger SELECT * FROM ledger_before");
		ask("DROP TABLE ledger_before");
		assert_sound(scene, 12);
	}
}

static void a_changed_order_is_found(void **state)
{
	struct scene *scene = *state;
	long long id = organization_of(scene);

	seal_three(scene);
	ask("UPDATE ledger SET seq = 99 WHERE organization_id = %lld AND seq = 1", id);
	ask("UPDATE ledger SET seq = 1 WHERE organization_id = %lld AND seq = 2", id);
	ask("UPDATE ledger SET seq = 2 WHERE organization_id = %lld AND seq = 99", id);
	assert_faulty(scene, 1);
}

static void a_missing_end_is_found(void **state)
{
	struct scene *scene = *state;
	long long id = organization_of(scene);
	struct ledger_noted noted = { .seq = 3 };
	struct ledger_head head;

	seal_three(scene);
	assert_ok(ledger_head_read(scene->fixture->db, id, scene->fixture->arena, &head));
	noted.hash = head.hash;
	assert_null(verify(scene, &noted).fault);
	ask("DELETE FROM ledger WHERE organization_id = %lld AND seq = 3", id);
	assert_faulty(scene, 3);
	/* If somebody moves the head back too, a head that was noted elsewhere reveals it. */
	ask("DELETE FROM ledger_numbers WHERE organization_id = %lld AND seq = 3", id);
	ask("UPDATE ledger_heads h JOIN ledger l ON l.organization_id = h.organization_id AND l.seq = 2"
	    " SET h.seq = 2, h.hash = l.hash WHERE h.organization_id = %lld",
	    id);
	assert_sound(scene, 8);
	assert_int_equal(verify(scene, &noted).bad_seq, 3);
}

static void a_faulty_index_is_found(void **state)
{
	struct scene *scene = *state;

	seal_three(scene);
	ask("DELETE FROM ledger_numbers WHERE organization_id = %lld AND seq = 2 LIMIT 1",
	    (long long)organization_of(scene));
	assert_non_null(verify(scene, NULL).fault);
}

static void an_erased_person_leaves_a_whole_chain(void **state)
{
	struct scene *scene = *state;
	bool more;

	seal_three(scene);
	assert_ok(ledger_erase_step(scene->fixture->db, organization_of(scene), FIRST_NUMBER, &more));
	assert_false(more);
	assert_sound(scene, 12);
	assert_int_equal(verify(scene, NULL).erased, 6);
	assert_null(decision(scene, FIRST_NUMBER, 0));
	assert_non_null(decision(scene, "+49000000002", 0));
	assert_int_equal(ask("SELECT COUNT(*) FROM ledger WHERE organization_id = %lld AND LOCATE('" FIRST_NUMBER
	                     "', decisions) > 0",
	                     (long long)organization_of(scene)),
	                 0);
}

static void the_oldest_blocks_are_deleted_first(void **state)
{
	struct scene *scene = *state;
	struct ledger_head head;
	bool more = true;

	seal_three(scene);
	while (more)
		assert_ok(ledger_retire_step(scene->fixture->db, clock_now_us() - 90 * US_PER_SECOND, &more));
	assert_ok(ledger_head_read(scene->fixture->db, organization_of(scene), scene->fixture->arena, &head));
	assert_in_range(head.first_seq, 2, 3);
	assert_sound(scene, 4 * (head.seq - head.first_seq + 1));
	do
		assert_ok(ledger_retire_step(scene->fixture->db, clock_now_us() + US_PER_DAY, &more));
	while (more);
	assert_sound(scene, 4); /* the last block stays, because otherwise the end of the chain would not be known */
	call_all(scene, 1);
	seal_all(scene);
	assert_sound(scene, 6);
}

static void seal_for_a_while(void)
{
	struct db *db = db_new(fixture_option_file());
	bool more;
	int found;

	for (int i = 0; i < 200; i++)
		if (ledger_seal_step(db, clock_now_us(), &found, &more) != DB_OK)
			_exit(1);
	db_free(db);
	_exit(0);
}

/* One of them dies in the middle of its work. */
static void many_processes_seal_at_once(void **state)
{
	struct scene *scene = *state;
	pid_t children[SEALERS];
	int status;

	for (int i = 0; i < SEALERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			seal_for_a_while();
	}
	for (int i = 0; i < 10; i++)
		call_all(scene, 3);
	kill(children[0], SIGKILL);
	for (int i = 0; i < 10; i++)
		call_all(scene, 3);
	for (int i = 0; i < SEALERS; i++) {
		waitpid(children[i], &status, 0);
		assert_true(i == 0 || status == 0);
	}
	seal_all(scene);
	assert_sound(scene, 2 * 2 * 10 * 3);
}

/* The block with the next number exists already. */
static void an_organisation_that_cannot_be_sealed_delays_no_other(void **state)
{
	struct scene *scene = *state;
	int64_t other = new_organization(scene->fixture->db);
	bool more;
	int found;

	ask("INSERT INTO ledger (organization_id, seq, sealed_at, hash, decisions) VALUES (%lld, 1, '2026-06-01', '', '')",
	    (long long)other);
	for (int i = 0; i < 500; i++)
		ask("INSERT INTO ledger_drafts (organization_id, decisions) VALUES (%lld, '')", (long long)other);
	call_all(scene, 1);
	for (int i = 0; i < 2; i++)
		assert_ok(ledger_seal_step(scene->fixture->db, clock_now_us(), &found, &more));
	assert_int_equal(ask("SELECT COUNT(*) FROM ledger_drafts WHERE organization_id = %lld",
	                     (long long)organization_of(scene)),
	                 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM ledger_drafts WHERE organization_id = %lld", (long long)other), 500);
	assert_sound(scene, 2);
	ask("DELETE FROM ledger_drafts WHERE organization_id = %lld", (long long)other);
}

static void the_ledger_may_be_switched_off(void **state)
{
	struct scene *scene = *state;

	ledger_switch(false);
	call_all(scene, 2);
	ledger_switch(true);
	assert_int_equal(ask("SELECT COUNT(*) FROM ledger_drafts WHERE organization_id = %lld",
	                     (long long)organization_of(scene)),
	                 0);
	call_all(scene, 2);
	seal_all(scene);
	assert_sound(scene, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_call_and_its_end_are_in_the_ledger),
		SCENE_TEST(skipped_contacts_are_in_the_ledger),
		SCENE_TEST(contacts_that_limits_defer_are_in_the_ledger),
		SCENE_TEST(short_waits_are_not_in_the_ledger),
		SCENE_TEST(a_new_plan_is_in_the_ledger),
		SCENE_TEST(a_changed_decision_is_found),
		SCENE_TEST(a_changed_order_is_found),
		SCENE_TEST(a_missing_end_is_found),
		SCENE_TEST(a_faulty_index_is_found),
		SCENE_TEST(an_erased_person_leaves_a_whole_chain),
		SCENE_TEST(the_oldest_blocks_are_deleted_first),
		SCENE_TEST(many_processes_seal_at_once),
		SCENE_TEST(the_ledger_may_be_switched_off),
		SCENE_TEST(an_organisation_that_cannot_be_sealed_delays_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
