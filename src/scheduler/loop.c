#include "scheduler/loop.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/progress.h"
#include "base/reload.h"
#include "base/signals.h"
#include "base/wake.h"
#include "engine/clock_step.h"
#include "scheduler/dispatch.h"
#include "scheduler/loop_work.h"
#include "store/conflicts.h"
#include "store/dispatch_store.h"
#include "store/figures.h"
#include "store/schema.h"
#include "store/secret_store.h"

#define LOOK_GAP_US (20 * US_PER_MS) /* the shortest time between looks, even if many wake-ups come */
#define DRAIN_US (20 * US_PER_SECOND)
#define STEP_US (10 * US_PER_SECOND) /* how long after a step of the clock every process knows of it */

static enum db_result write_results(struct loop *loop)
{
	bool woke;
	enum db_result result = results_write(loop->results, loop->db, &woke);

	chores_expect(loop->chores);
	if (result == DB_OK && woke) {
		loop->look_at_us = 0;
		loop->is_seen = false;
	}
	return result;
}

/* A loop that is stuck gives no sign of life, so that others notice. */
static enum db_result give_sign_of_life(struct loop *loop)
{
	int64_t now_us = clock_mono_us();

	if (now_us - loop->turn_began_us > loop->self.turn_us)
		loop->self.turn_us = now_us - loop->turn_began_us;
	if (figures_flush_in_time(loop->db) == DB_LOST) /* refused: the next flush writes the counts */
		return DB_LOST;
	if (now_us < loop->beat_at_us)
		return DB_OK;
	DB_TRY(process_beat(loop->db, &loop->self));
	loop->beat_at_us = now_us + PROCESS_BEAT_US;
	loop->self.turn_us = 0;
	return DB_OK;
}

static enum db_result check_database(struct loop *loop)
{
	if (loop->is_checked)
		return DB_OK;
	DB_TRY(schema_require(loop->conf->database_file));
	DB_TRY(secrets_require(loop->conf));
	loop->is_checked = true;
	return DB_OK;
}

/* Others may have written by the old clock until they learned of the step, so it is done once more after a while. */
static enum db_result follow_step(struct loop *loop)
{
	int64_t stepped_us = clock_stepped_us(), now_us = clock_mono_us();
	enum db_result result;

	if (clock_stepped_by_us() >= 0 || loop->pulled_in_us >= stepped_us + STEP_US ||
	    (loop->pulled_in_us >= stepped_us && now_us < stepped_us + STEP_US))
		return DB_OK;
	result = loop->pulled_in_us < stepped_us ? clock_step_move_due(loop->db, -clock_stepped_by_us()) : DB_OK;
	if (result == DB_OK)
		result = clock_step_pull_in(loop->db, -clock_stepped_by_us(), loop->conf->lease_seconds * US_PER_SECOND);
	loop->is_seen = false;
	if (db_is_refusal(result))
		log_error("the database refused to pull in what waits: result %d", (int)result);
	else if (result == DB_OK)
		loop->pulled_in_us = now_us;
	return db_is_refusal(result) ? DB_OK : result;
}

static enum db_result look(struct loop *loop)
{
	DB_TRY(db_ready(loop->db));
	DB_TRY(check_database(loop));
	DB_TRY(follow_step(loop));
	DB_TRY(loop_work(loop));
	return give_sign_of_life(loop);
}

/* Other calls are under way, and their answers follow. */
static bool more_follow(const struct loop *loop)
{
	return deliver_in_flight(loop->deliver) + ahead_count(loop->ahead) != 0;
}

static int wait_ms(const struct loop *loop)
{
	int64_t next_us = min_of(loop->look_at_us, results_due_us(loop->results, more_follow(loop)));
	int64_t wait_us = min_of(next_us, ahead_next_us(loop->ahead) - LEAD_US) - clock_mono_us();

	return wait_us <= 0 ? 0 : (int)((wait_us + US_PER_MS - 1) / US_PER_MS);
}

/* What the server refuses comes back when its lease ends. */
static enum db_result dispatch_in_time(struct loop *loop)
{
	enum db_result result = loop_dispatch_due(loop);

	if (!db_is_refusal(result))
		return result;
	if (conflict_wait_us(loop->db, CONFLICT_KIND, KIND_DISPATCH, result) == 0)
		log_error("the database refused to dispatch calls: result %d", (int)result);
	return DB_OK;
}

/* Another process changed something. Looks soon, or at once after a while of silence. */
static void listen(struct loop *loop)
{
	if (loop->wake_fd < 0 || !wake_clear(loop->wake_fd))
		return;
	loop->look_at_us = min_of(loop->look_at_us, loop->looked_us + LOOK_GAP_US);
	loop->is_seen = false;
	chores_expect(loop->chores);
}

static void turn(struct loop *loop)
{
	enum db_result result;
	int64_t wait_us;

	deliver_run(loop->deliver, loop->wake_fd, wait_ms(loop));
	notify_watchdog();
	loop->turn_began_us = clock_mono_us();
	listen(loop);
	results_collect(loop->results, loop->deliver);
	result = dispatch_in_time(loop);
	if (result == DB_OK && results_are_due(loop->results, more_follow(loop)))
		result = write_results(loop);
	if (result == DB_OK && clock_mono_us() >= loop->look_at_us)
		result = look(loop);
	if (result == DB_OK)
		return;
	wait_us = conflict_wait_us(loop->db, CONFLICT_KIND, KIND_TURN, result);
	if (wait_us == 0 && result != DB_LOST) /* already logged */
		log_error("the database did not take the scheduler's work: result %d", (int)result);
	loop->is_seen = false;
	loop->look_at_us = clock_mono_us() + (wait_us != 0 ? wait_us : DATABASE_AWAY_US);
	results_postpone(loop->results, loop->look_at_us);
}

/* Calls that are not due yet are for other schedulers. */
static void give_back_ahead(struct loop *loop)
{
	struct uuid ids[AHEAD_MAX];
	int64_t since_us[AHEAD_MAX];
	struct held_call held[AHEAD_MAX];
	int count = ahead_take(loop->ahead, INSTANT_NEVER, INT64_MIN, ids, since_us, AHEAD_MAX);

	for (int i = 0; i < count; i++)
		held[i] = (struct held_call){ ids[i], since_us[i], 0 };
	calls_hold(loop->db, held, count);
}

/* Requests begin and answers come in while the database works. */
static void deliver_meanwhile(void *context, int fd, int wait_ms)
{
	struct loop *loop = context;

	deliver_go_on(loop->deliver, fd, wait_ms);
}

/* Waits for webhooks in progress: otherwise other schedulers would send them again. */
static void drain(struct loop *loop)
{
	int64_t until_us = clock_mono_us() + DRAIN_US;

	while (deliver_in_flight(loop->deliver) > 0 && clock_mono_us() < until_us) {
		deliver_run(loop->deliver, -1, 100);
		notify_watchdog();
		results_collect(loop->results, loop->deliver);
		write_results(loop);
	}
	write_results(loop);
}

static void end(struct loop *loop)
{
	if (loop->is_checked)
		process_end(loop->db, &loop->self);
	give_back_ahead(loop);
	drain(loop);
	figures_flush(loop->db);
}

/* A child process keeps the webhooks in progress and writes their results. This process starts the present program at
 * once, and does not wait for the slowest webhook. */
static void begin_afresh(struct loop *loop)
{
	pid_t child;

	log_info("SIGHUP: starting again");
	process_end(loop->db, &loop->self);
	db_disconnect(loop->db); /* two processes must not use one connection */
	child = fork();
	if (child < 0) {
		log_error("cannot start again: %m");
		return;
	}
	if (child > 0)
		reload_now(STDERR_FILENO);
	unsetenv("NOTIFY_SOCKET"); /* the child is not the service */
	loop->is_checked = false;  /* its sign of life is gone */
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	end(loop);
	_exit(EXIT_SUCCESS);
}

void scheduler_run(const struct conf *conf)
{
	struct loop *loop = calloc(1, sizeof *loop);

	if (loop == NULL)
		fatal("out of memory");
	loop->conf = conf;
	loop->db = db_new(conf->database_file);
	loop->deliver = deliver_new(conf);
	db_do_meanwhile(loop->db, deliver_meanwhile, loop);
	loop->wake_fd = wake_listen(conf->database_file);
	loop->ahead = ahead_new();
	loop->results = results_new(conf);
	loop->chores = chores_new(conf);
	loop->self = process_new(PROCESS_SCHEDULER);
	progress_feed_watchdog();
	log_info("the scheduler has started max_in_flight=%d version=%s", (int)conf->max_in_flight, PACKAGE_VERSION);
	notify_ready();
	while (!signals_stop_requested()) {
		turn(loop);
		if (signals_reload_requested() && reload_is_good())
			begin_afresh(loop);
	}
	notify_stopping();
	end(loop);
	log_info("the scheduler has stopped");
	chores_free(loop->chores);
	results_free(loop->results);
	ahead_free(loop->ahead);
	deliver_free(loop->deliver);
	db_free(loop->db);
	free(loop);
}
