#include "scheduler/simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/least.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/zone.h"
#include "domain/report_fields.h"
#include "engine/claim.h"
#include "engine/payload.h"
#include "engine/report.h"
#include "scheduler/background.h"
#include "scheduler/script.h"
#include "scheduler/stage.h"
#include "scheduler/timeline.h"
#include "store/batch_store.h"
#include "store/dispatch_store.h"

#define MAX_CALLS 100 /* in progress at once: the most that a campaign may have */

/* A call that a dialer has. */
struct placed_call {
	struct uuid id;
	char to[17], from[17];
	int64_t attempt, began_us, ends_us;
	enum call_status status; /* that it will end with */
	int64_t callback_us;     /* after its end the person wants to be called again; 0: does not */
	bool is_callback;
};

struct simulation {
	struct script script;
	struct stage stage;
	struct timeline timeline;
	int64_t lease_us, dispatch_ttl_us, until_us;
	struct placed_call calls[MAX_CALLS];
	int call_count;
	bool *acted; /* which actions of the script are done */
	enum batch_status status;
};

static void tell_status(struct simulation *sim, const struct batch *batch)
{
	if (batch->status == sim->status)
		return;
	sim->status = batch->status;
	timeline_say(&sim->timeline, clock_now_us(), "%s%s%s", batch_status_names[batch->status],
	             *batch->status_reason != '\0' ? ": " : "", batch->status_reason);
}

static void look_at_status(struct simulation *sim)
{
	struct arena *arena = arena_new();
	struct batch batch = stage_batch(&sim->stage, arena);

	tell_status(sim, &batch);
	arena_free(arena);
}

/* Does the users' actions that are due now. */
static void act(struct simulation *sim)
{
	const struct script_action *actions = sim->script.actions.items;

	for (size_t i = 0; i < sim->script.actions.count; i++) {
		const char *refused;

		if (sim->acted[i] || stage_instant(&sim->stage, &actions[i].at) > clock_now_us())
			continue;
		sim->acted[i] = true;
		refused = stage_act(&sim->stage, &sim->script, &actions[i]);
		timeline_say(&sim->timeline, clock_now_us(), "%s%s%s", script_deed_names[actions[i].deed],
		             refused != NULL ? ": " : "", refused != NULL ? refused : "");
	}
}

static struct call_report report_of(const struct uuid *id, enum call_status status, int64_t seconds)
{
	struct call_report report = report_conclude(id, CALL_ANY, status, "");

	report.duration_seconds = seconds;
	return report;
}

static void report_all(struct simulation *sim, const struct call_report *reports, int count)
{
	enum report_result results[MAX_CALLS];

	if (count != 0)
		stage_require(&sim->stage, reports_apply(sim->stage.db, 0, reports, (size_t)count, clock_now_us(), results));
}

/* The dialer reports the calls that have ended. */
static void end_calls(struct simulation *sim)
{
	struct call_report reports[MAX_CALLS];
	int count = 0, left = 0;

	for (int i = 0; i < sim->call_count; i++) {
		const struct placed_call *call = &sim->calls[i];

		if (call->ends_us > clock_now_us()) {
			sim->calls[left++] = *call;
			continue;
		}
		reports[count] = report_of(&call->id, call->status, (call->ends_us - call->began_us) / US_PER_SECOND);
		if (call->callback_us != 0)
			reports[count].call_back_at.us = call->ends_us + call->callback_us;
		count++;
		timeline_call_ended(&sim->timeline,
		                    &(struct timeline_call){ call->to, call->from, call->attempt, call->began_us, call->ends_us,
		                                             call->status, call->is_callback });
	}
	sim->call_count = left;
	report_all(sim, reports, count);
}

/* The dialer accepts the claimed calls. */
static void take_calls(struct simulation *sim, const struct uuid *ids, int count)
{
	struct call_report reports[MAX_CALLS];
	struct arena *arena = arena_new();
	const struct requested_call *requested;
	size_t found;

	stage_require(&sim->stage, requested_calls_load(sim->stage.db, ids, (size_t)count, arena, &requested, &found));
	for (size_t i = 0; i < found; i++, requested++) {
		struct script_ending ending = script_next_ending(&sim->script);
		struct placed_call *call = &sim->calls[sim->call_count++];

		*call = (struct placed_call){
			.id = requested->id,
			.attempt = requested->attempt,
			.began_us = clock_now_us(),
			.ends_us = clock_now_us() + ending.seconds * US_PER_SECOND,
			.status = ending.status,
			.callback_us = ending.callback_us,
			.is_callback = requested->is_callback,
		};
		snprintf(call->to, sizeof call->to, "%s", requested->to_number);
		snprintf(call->from, sizeof call->from, "%s", requested->from_number);
		reports[i] = report_of(&call->id, CALL_DISPATCHED, -1);
		timeline_call_began(&sim->timeline, call->began_us);
	}
	report_all(sim, reports, (int)found);
	arena_free(arena);
}

static int room_at(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken)
{
	const struct simulation *sim = context;

	(void)dialer;
	return MAX_CALLS - sim->call_count - taken->same;
}

static void claim(struct simulation *sim)
{
	struct claim_limits limits = {
		.max_calls = MAX_CALLS,
		.lease_us = sim->lease_us,
		.dispatch_ttl_us = sim->dispatch_ttl_us,
		.room_at = room_at,
		.context = sim,
	};
	struct uuid ids[MAX_CALLS];
	int looked, count;

	stage_require(&sim->stage, claim_due_calls(sim->stage.db, &limits, ids, NULL, &count, &looked));
	if (count != 0)
		take_calls(sim, ids, count);
}

static struct batch_look look(struct simulation *sim)
{
	struct batch_look look;

	stage_require(&sim->stage, batch_get_look(sim->stage.db, sim->stage.batch_row, &look));
	return look;
}

/* Does the scheduler's work until there is nothing left to do at this instant. Returns when there is work again.
 * The end of a call wakes a full campaign, and that wake-up is not lost here. */
static int64_t schedule(struct simulation *sim)
{
	struct batch_look now;
	int found;

	while ((now = look(sim)).wake_at_us <= clock_now_us()) {
		if (now.work == BATCH_WORK_DISPATCH)
			claim(sim);
		else
			stage_require(&sim->stage, background_step(sim->stage.db, &found));
	}
	return now.work == BATCH_WORK_DISPATCH && now.capped && sim->call_count != 0 ? INSTANT_NEVER : now.wake_at_us;
}

/* Returns the next instant at which something happens, next_us at the latest; INSTANT_NEVER: nothing will. */
static int64_t next_instant(const struct simulation *sim, int64_t next_us)
{
	const struct script_action *actions = sim->script.actions.items;

	for (int i = 0; i < sim->call_count; i++)
		next_us = min_of(next_us, sim->calls[i].ends_us);
	for (size_t i = 0; i < sim->script.actions.count; i++)
		if (!sim->acted[i])
			next_us = min_of(next_us, stage_instant(&sim->stage, &actions[i].at));
	return next_us;
}

static void play(struct simulation *sim)
{
	int64_t now_us = clock_now_us();

	while (now_us != INSTANT_NEVER && now_us < sim->until_us && !signals_stop_requested()) {
		int64_t next_us;

		clock_stand(now_us);
		act(sim);
		end_calls(sim);
		next_us = next_instant(sim, schedule(sim));
		look_at_status(sim);
		if (batch_is_over(sim->status) && sim->call_count == 0)
			return;
		now_us = next_us;
	}
	timeline_say(&sim->timeline, clock_now_us(), "%s",
	             now_us == INSTANT_NEVER   ? "nothing will happen any more"
	             : now_us >= sim->until_us ? "the simulation's days are over"
	                                       : "stopped");
}

static void introduce(struct simulation *sim)
{
	struct arena *arena = arena_new();
	struct batch batch = stage_batch(&sim->stage, arena);
	char until[32];

	instant_format_sql(zone_utc_to_wall(sim->stage.timezone, batch.planned_until_us), until);
	timeline_say(&sim->timeline, clock_now_us(), "%lld contacts, planned until %.19s or later",
	             (long long)batch.counts.total, until);
	arena_free(arena);
}

static void end(struct simulation *sim)
{
	struct arena *arena = arena_new();
	struct batch batch = stage_batch(&sim->stage, arena);

	timeline_end(&sim->timeline, &batch);
	arena_free(arena);
}

void simulate(const struct conf *conf, int argc, char **argv)
{
	const char *database_file = conf->database_file, *sql = SQLDIR, *calls = "no";
	const struct argument options[] = { { "database-file", &database_file }, { "sql", &sql }, { "calls", &calls } };
	const char *path = arguments_read(argc, argv, options, 3, 1)[0];
	struct simulation *sim = calloc(1, sizeof *sim);
	struct arena *arena = arena_new();

	if (sim == NULL)
		fatal("out of memory");
	if (strcmp(calls, "yes") != 0 && strcmp(calls, "no") != 0)
		fatal("--calls must be yes or no, not `%s`", calls);
	signals_catch(); /* so that the scratch database is always dropped */
	log_set_level(LOG_LEVEL_WARNING);
	sim->script = script_read(path, arena);
	sim->acted = arena_alloc(arena, sim->script.actions.count * sizeof *sim->acted);
	memset(sim->acted, 0, sim->script.actions.count * sizeof *sim->acted);
	sim->stage = stage_open(database_file, sql, &sim->script, arena);
	sim->timeline = (struct timeline){ .timezone = sim->stage.timezone, .shows_calls = strcmp(calls, "yes") == 0 };
	sim->lease_us = conf->lease_seconds * US_PER_SECOND;
	sim->dispatch_ttl_us = conf->dispatch_ttl_seconds * US_PER_SECOND;
	sim->until_us = clock_now_us() + sim->script.days * US_PER_DAY;
	introduce(sim);
	play(sim);
	end(sim);
	stage_close(&sim->stage);
	arena_free(arena);
	free(sim);
}
