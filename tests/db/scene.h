/* A scene for tests: an agent that is ready, numbers, contacts, a clock that tests set, and short names for the
 * actions of clients, schedulers and dialers. */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include "domain/batch.h"
#include "engine/campaign.h"
#include "engine/claim.h"
#include "engine/report.h"
#include "fixture.h"

#define SCENE_MAX_NUMBERS 10
#define SCENE_MAX_CALLS 1000

struct scene {
	struct fixture *fixture;
	int64_t webhook_row, agent_row;
	struct uuid agent_id, number_ids[SCENE_MAX_NUMBERS];
	struct batch_config config;         /* the configuration of new campaigns: every day, whole day, UTC, 10 places */
	struct uuid batch_id;               /* the latest campaign */
	int64_t batch;                      /* and its row */
	struct uuid calls[SCENE_MAX_CALLS]; /* the calls that scene_claim claimed, in the order of their claim */
	int call_count;                     /* of the last scene_claim */
	int room;                           /* free slots at every dialer, for scene_claim */
	int64_t ahead_us;                   /* scene_claim also claims calls that are due within this time */
};

int scene_set_up(void **state);
int scene_tear_down(void **state);
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

/* Stops the clock at this instant. scene_pass moves it forward. A test starts on Monday 2026-06-01 at 08:00. */
void scene_at(const char *instant);
void scene_pass(int64_t us);

/* Actions of a client, each in a transaction of its own. */
typedef enum db_result campaign_action(struct db *, struct campaign_request *);
enum db_result scene_try(struct scene *scene, campaign_action *action, struct campaign_request *request);
void scene_do(struct scene *scene, campaign_action *action);
void scene_create(struct scene *scene, int contacts);
void scene_start(struct scene *scene, int contacts); /* create and schedule */
void scene_add(struct scene *scene, int first, int contacts);
/* Changes the one field of this name, as PATCH does, to its value in scene->config. */
enum db_result scene_change(struct scene *scene, const char *field);
struct batch scene_batch(struct scene *scene);

/* Actions of schedulers. scene_claim returns how many calls it claimed. */
int scene_claim(struct scene *scene, int max_calls);
int scene_claim_with(struct db *db, int room, struct uuid *ids, int max_calls, enum db_result *result);
void scene_plan(struct scene *scene); /* writes the whole plan, chunk by chunk */

/* Actions of a dialer. */
struct call_report scene_report(const struct uuid *call, enum call_status status);
enum report_result scene_tell(struct scene *scene, const struct uuid *call, enum call_status status);
void scene_tell_all(struct scene *scene, enum call_status status); /* the calls claimed last */

/* scene_of_calls returns an aggregate of the latest campaign's calls, such as "COUNT(*)". scene_due_where counts its
 * rows in due_contacts that meet the condition. */
int64_t scene_of_calls(struct scene *scene, const char *what);
int64_t scene_due_where(struct scene *scene, const char *where);

void scene_purge(struct scene *scene); /* a step */

/* Checks that counters, contacts and calls agree with each other. */
void scene_check_sums(struct scene *scene);

#endif
