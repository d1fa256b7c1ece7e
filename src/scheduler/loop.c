#include "scheduler/loop.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/progress.h"
#include "base/reload.h"
#include "base/signals.h"
#include "base/wake.h"
#include "scheduler/answers.h"
#include "scheduler/background.h"
#include "scheduler/claim.h"
#include "scheduler/deliver.h"
#include "scheduler/dispatch.h"
#include "scheduler/outbox.h"
#include "scheduler/verdicts.h"
#include "store/process_store.h"
#include "store/retention.h"
#include "store/schema.h"
#include "store/secret_store.h"
#include "store/statements.h"

#define MAX_CLAIM 200              /* calls per claim: more would hold the locks longer for little gain */
#define POLL_US (250 * US_PER_MS)  /* what others wrote is seen after this long, also when they tell nothing */
#define TOLD_US (20 * US_PER_MS)   /* so often does it look when they tell much */
#define AHEAD_US (25 * US_PER_MS)  /* so far ahead are calls claimed: each begins when it is due */
#define EARLY_US (6 * US_PER_MS)   /* a claim begins so long before its first call: it takes a while */
#define FLUSH_US (25 * US_PER_MS)  /* so long may results wait for others, unless they are many */
#define FLUSH_COUNT 200
#define BUSY_US (5 * US_PER_MS)     /* there is work, but no free slot, or others hold it */
#define DATABASE_AWAY_US (500 * US_PER_MS)
#define TIDY_US (60 * US_PER_SECOND)
#define DRAIN_US (20 * US_PER_SECOND)

enum kind { KIND_CLAIM, KIND_CALLS, KIND_OUTBOX, KIND_BACKGROUND, KIND__MAX };

struct loop {
	const struct conf *conf;
	struct db *db;
	struct deliver *deliver;
	struct answers *answers;
	struct outbox_results *outbox;
	struct verdicts *verdicts;
	int told_fd; /* -1: nobody can tell us anything */
	int unwritten; /* results that were collected */
	int64_t flushed_us; /* monotonic: when results were written last */
	int64_t looked_us; /* monotonic: when it last looked into the database */
	struct uuid claimed[MAX_CLAIM];
	int64_t refused_until_us[KIND__MAX]; /* monotonic: when to try again what the server refused */
	int64_t tidy_at_us; /* monotonic: when to drop what is out of date */
	int64_t look_at_us; /* monotonic: when to look into the database again */
	bool is_checked;    /* it is the right database */
	struct process self;
	int64_t beat_at_us; /* monotonic: when to give a sign of life */
	int64_t turn_began_us;
};

/* Webhooks that ended. */
static void collect(struct loop *loop)
{
	struct deliver_result result;

	while (deliver_next(loop->deliver, &result)) {
		int64_t retry_at_us = INSTANT_NEVER;

		if (result.place.kind == DELIVER_CALL)
			answers_collect(loop->answers, &result);
		else
			retry_at_us = outbox_collect(loop->outbox, &result);
		if (!result.unbegun)
			verdicts_collect(loop->verdicts, &result, retry_at_us);
		loop->unwritten++;
	}
}

/* What they mean. */
static enum db_result write_results(struct loop *loop)
{
	loop->flushed_us = clock_mono_us();
	if (answers_count(loop->answers) != 0)
		DB_TRY(answers_write(loop->db, loop->answers));
	if (outbox_any(loop->outbox))
		DB_TRY(outbox_write(loop->db, loop->outbox));
	if (verdicts_any(loop->verdicts))
		DB_TRY(verdicts_write(loop->db, loop->verdicts));
	if (loop->unwritten != 0)
		loop->look_at_us = 0; /* places came free */
	loop->unwritten = 0;
	return DB_OK;
}

/* Many at once, and not often: that costs the database little. */
static bool is_time_to_write(const struct loop *loop)
{
	if (loop->unwritten == 0)
		return verdicts_any(loop->verdicts);
	return loop->unwritten >= FLUSH_COUNT || clock_mono_us() - loop->flushed_us >= FLUSH_US;
}

static int64_t min_us(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int room_at(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken)
{
	return deliver_room_at(context, &(struct deliver_place){ DELIVER_CALL, dialer->endpoint, dialer->doubtful },
	                       &(struct deliver_taken){ taken->same, taken->doubtful, taken->all });
}

/* Only as much as there is room for, so that nothing claimed waits for a slot. */
static enum db_result claim(struct loop *loop, int *found)
{
	int room = deliver_free_slots(loop->deliver, DELIVER_CALL), count;
	struct claim_limits limits = {
		.max_calls = room < MAX_CLAIM ? room : MAX_CLAIM,
		.ahead_us = AHEAD_US,
		.lease_us = loop->conf->lease_seconds * US_PER_SECOND,
		.dispatch_ttl_us = loop->conf->dispatch_ttl_seconds * US_PER_SECOND,
		.room_at = room_at, .context = loop->deliver,
	};

	*found = 0;
	if (room == 0)
		return DB_OK;
	DB_TRY(claim_due_calls(loop->db, &limits, loop->claimed, &count, found));
	return count == 0 ? DB_OK : dispatch_calls(loop->db, loop->deliver, loop->conf, loop->claimed, count);
}

static enum db_result find_overdue(struct loop *loop, int *found)
{
	return dispatch_overdue(loop->db, loop->deliver, loop->conf, found);
}

static enum db_result send_events(struct loop *loop, int *found)
{
	return outbox_start_due(loop->db, loop->deliver, loop->conf, found);
}

static enum db_result work_in_background(struct loop *loop, int *found)
{
	return background_step(loop->db, found);
}

/* In the order of the columns of SQL_NEXT_WAKE, which has one more, and in that of their turns. *found: 0 if there was nothing to do. */
static const struct {
	const char *name;
	enum db_result (*run)(struct loop *loop, int *found);
} kinds[KIND__MAX] = {
	[KIND_CLAIM] = { "claims", claim },
	[KIND_CALLS] = { "overdue calls", find_overdue },
	[KIND_OUTBOX] = { "events", send_events },
	[KIND_BACKGROUND] = { "planning, copying, purging", work_in_background },
};

/* When each kind of work has something to do, at the earliest. Events for doubtful endpoints count when there is
 * room for some. */
static enum db_result read_wakes(struct loop *loop, int64_t wakes_us[KIND__MAX])
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_ready(loop->db);

	if (result == DB_OK)
		result = db_query(loop->db, SQL_NEXT_WAKE, DB_NO_ARGS, arena, &rows);
	for (size_t kind = 0; result == DB_OK && kind < KIND__MAX; kind++)
		wakes_us[kind] = db_get_int(&rows, 0, kind);
	if (result == DB_OK && deliver_free_doubtful(loop->deliver, DELIVER_EVENT) > 0)
		wakes_us[KIND_OUTBOX] = min_us(wakes_us[KIND_OUTBOX], db_get_int(&rows, 0, KIND__MAX));
	arena_free(arena);
	return result;
}

/* What the server refuses holds up its own kind of work, and only for a while. */
static enum db_result run_kind(struct loop *loop, enum kind kind, int *found)
{
	enum db_result result = kinds[kind].run(loop, found);

	if (!db_is_refusal(result))
		return result;
	log_error("the database refused the scheduler's work: %s: result %d", kinds[kind].name, (int)result);
	loop->refused_until_us[kind] = clock_mono_us() + DATABASE_AWAY_US;
	return DB_OK;
}

/* Full portions are followed by the next at once. */
static enum db_result tidy(struct loop *loop)
{
	enum db_result result;
	bool more;

	if (clock_mono_us() < loop->tidy_at_us)
		return DB_OK;
	loop->tidy_at_us = clock_mono_us() + TIDY_US;
	result = retention_step(loop->db, clock_now_us(), loop->conf->webhook_retention_days * US_PER_DAY, &more);
	if (db_is_refusal(result)) {
		log_error("the database refused to drop what is out of date: result %d", (int)result);
		return DB_OK; /* the next time comes */
	}
	if (result == DB_OK && more)
		loop->tidy_at_us = clock_mono_us();
	return result;
}

/* Does what is due, a portion of each kind. Full portions are followed by the next at once. */
static enum db_result work(struct loop *loop)
{
	int64_t wakes_us[KIND__MAX], now_us, wait_us = POLL_US;
	int all_found = 0;

	loop->looked_us = clock_mono_us();
	DB_TRY(read_wakes(loop, wakes_us));
	wakes_us[KIND_CLAIM] -= EARLY_US;
	now_us = clock_now_us();
	for (enum kind kind = 0; kind < KIND__MAX; kind++) {
		int64_t ahead_us = wakes_us[kind] - now_us;
		int found = 0;

		if (clock_mono_us() < loop->refused_until_us[kind])
			continue;
		if (ahead_us <= 0)
			DB_TRY(run_kind(loop, kind, &found));
		all_found += found;
		wait_us = min_us(wait_us, ahead_us <= 0 ? BUSY_US : ahead_us);
	}
	loop->look_at_us = clock_mono_us() + (all_found == 0 ? wait_us : 0);
	return tidy(loop);
}

/* A loop that is stuck tells nothing, so that others see it. */
static enum db_result give_sign_of_life(struct loop *loop)
{
	int64_t now_us = clock_mono_us();

	if (now_us - loop->turn_began_us > loop->self.turn_us)
		loop->self.turn_us = now_us - loop->turn_began_us;
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

static enum db_result look(struct loop *loop)
{
	DB_TRY(db_ready(loop->db));
	DB_TRY(check_database(loop));
	DB_TRY(work(loop));
	return give_sign_of_life(loop);
}

static int wait_ms(const struct loop *loop)
{
	int64_t next_us = loop->unwritten != 0 ? min_us(loop->look_at_us, loop->flushed_us + FLUSH_US) : loop->look_at_us;
	int64_t wait_us = next_us - clock_mono_us();

	return wait_us <= 0 ? 0 : (int)((wait_us + US_PER_MS - 1) / US_PER_MS);
}

/* Somebody changed something; it is looked for soon, or at once after a while of silence. */
static void listen(struct loop *loop)
{
	if (loop->told_fd < 0 || !wake_clear(loop->told_fd))
		return;
	loop->look_at_us = min_us(loop->look_at_us, loop->looked_us + TOLD_US);
}

static void turn(struct loop *loop)
{
	enum db_result result = DB_OK;

	deliver_run(loop->deliver, loop->told_fd, wait_ms(loop));
	notify_watchdog();
	loop->turn_began_us = clock_mono_us();
	listen(loop);
	collect(loop);
	if (is_time_to_write(loop))
		result = write_results(loop);
	if (result == DB_OK && clock_mono_us() >= loop->look_at_us)
		result = look(loop);
	if (result == DB_OK)
		return;
	if (result != DB_LOST) /* that one was told of already */
		log_error("the database did not take the scheduler's work: result %d", (int)result);
	loop->look_at_us = clock_mono_us() + DATABASE_AWAY_US;
	loop->flushed_us = loop->look_at_us - FLUSH_US;
}

/* Webhooks under way are waited for: their answers would otherwise be asked for again by others. */
static void drain(struct loop *loop)
{
	int64_t until_us = clock_mono_us() + DRAIN_US;

	while (deliver_in_flight(loop->deliver) > 0 && clock_mono_us() < until_us) {
		deliver_run(loop->deliver, -1, 100);
		notify_watchdog();
		collect(loop);
		write_results(loop);
	}
	write_results(loop);
}

static void end(struct loop *loop)
{
	if (loop->is_checked)
		process_end(loop->db, &loop->self);
	drain(loop);
	verdicts_write(loop->db, loop->verdicts);
}

/* The child has the webhooks that are under way, and writes what comes of them. This process goes on as the program that is
 * there now: so nobody waits for the slowest of them. */
static void begin_afresh(struct loop *loop)
{
	pid_t child;

	log_info("SIGHUP: beginning afresh");
	process_end(loop->db, &loop->self);
	db_disconnect(loop->db); /* two processes must not use one connection */
	child = fork();
	if (child < 0) {
		log_error("cannot begin afresh: %m");
		return;
	}
	if (child > 0)
		reload_now(STDERR_FILENO);
	unsetenv("NOTIFY_SOCKET"); /* it is not the service any more */
	loop->is_checked = false; /* its sign of life is gone */
	if (loop->told_fd >= 0)
		close(loop->told_fd);
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
	loop->told_fd = wake_listen(conf->database_file);
	loop->answers = answers_new((int)conf->max_in_flight + FLUSH_COUNT, conf->lease_seconds * US_PER_SECOND / 2);
	loop->outbox = outbox_results_new(conf);
	loop->verdicts = verdicts_new(conf, (int)conf->max_in_flight + FLUSH_COUNT);
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
	verdicts_free(loop->verdicts);
	outbox_results_free(loop->outbox);
	answers_free(loop->answers);
	deliver_free(loop->deliver);
	db_free(loop->db);
	free(loop);
}
