#include "scheduler/queues.h"

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/log.h"
#include "domain/health.h"
#include "store/conflicts.h"
#include "store/queue_store.h"

#define MAX_NEW 500              /* deliveries sorted into queues at once */
#define MAX_TURNS QUEUES_AT_ONCE /* endpoints served at once */
#define MAX_DOUBTFUL 8           /* of these */
#define FULL_RECHECK_US (10 * US_PER_MS)
#define LOCKED_RECHECK_US US_PER_SECOND
#define SET_ASIDE_US US_PER_MINUTE

/* An endpoint that is being served, under the lock of its health. */
struct turn {
	struct deliver_place place;
	struct health health;
	bool exists, probe;
	bool waits; /* for a free slot, and keeps its turn */
	int room, leased;
	int64_t next_at_us;
};

struct serving {
	const struct conf *conf;
	const struct deliver *deliver;
	struct queued *out;
	int count, looked;
	int slots; /* that are free */
	struct queues_from from;
	int64_t now_us, lease_until_us;
	struct arena *arena;
	int max_new, max_turns;
	int64_t first_new; /* the first delivery that was sorted, while that goes on; else 0 */
	struct turn turns[MAX_TURNS];
	int turn_count;
	struct deliver_taken taken;
};

static enum db_result sort_new(struct db *db, struct serving *serving)
{
	const struct new_delivery *deliveries;
	int64_t endpoints[MAX_NEW];
	bool is_locked[MAX_NEW];
	size_t count;

	DB_TRY(queue_lock_new(db, serving->from.new_us, serving->now_us, serving->max_new, serving->arena, &deliveries,
	                      &count));
	serving->looked += (int)count;
	if (count == 0)
		return DB_OK;
	serving->first_new = deliveries[0].id;
	for (size_t i = 0; i < count; i++)
		endpoints[i] = deliveries[i].endpoint;
	DB_TRY(health_find_locked(db, endpoints, count, is_locked));
	return queue_sort(db, deliveries, count, is_locked, serving->now_us, serving->now_us + LOCKED_RECHECK_US,
	                  serving->arena);
}

/* Locks endpoints that are due, the longest waiting first. */
static enum db_result lock_endpoints(struct db *db, struct serving *serving, bool doubtful, int limit)
{
	int64_t from_us = min_of(serving->from.endpoints_us, serving->now_us); /* sort_new has woken some now */
	const struct endpoint_health *endpoints;
	size_t count;

	limit = min_int(limit, serving->max_turns - serving->turn_count);
	if (limit <= 0)
		return DB_OK;
	DB_TRY(queue_lock_endpoints(db, doubtful, from_us, serving->now_us, limit, serving->arena, &endpoints, &count));
	for (size_t i = 0; i < count; i++)
		serving->turns[serving->turn_count++] = (struct turn){
			.place = { DELIVER_EVENT, endpoints[i].endpoint, doubtful }, .health = endpoints[i].health
		};
	serving->looked += (int)count;
	return DB_OK;
}

static struct turn *find_turn(struct serving *serving, int64_t endpoint)
{
	for (int i = 0; i < serving->turn_count; i++)
		if (serving->turns[i].place.endpoint == endpoint)
			return &serving->turns[i];
	return NULL;
}

static bool is_slot_left(const struct serving *serving, const struct turn *turn)
{
	return serving->taken.all < serving->slots &&
	       (!turn->place.doubtful || serving->taken.doubtful < deliver_free_doubtful(serving->deliver, DELIVER_EVENT));
}

/* Decides how much this endpoint may be sent, or when to look again. An endpoint that gets a part is due again at
 * once, after the endpoints that got nothing yet. */
static void judge(struct serving *serving, struct turn *turn)
{
	struct health *health = &turn->health;
	enum circuit circuit = health_circuit(health, serving->now_us);
	int share = min_int(serving->slots, QUEUES_MAX) / serving->turn_count;

	if (circuit == CIRCUIT_OPEN) {
		turn->next_at_us = health->open_until_us;
	} else if (circuit == CIRCUIT_HALF_OPEN && health->probe_until_us > serving->now_us) {
		turn->next_at_us = health->probe_until_us;
	} else if (health->hold_until_us > serving->now_us) {
		turn->next_at_us = health->hold_until_us;
	} else if (!is_slot_left(serving, turn)) {
		turn->waits = true;
	} else {
		turn->probe = circuit == CIRCUIT_HALF_OPEN;
		turn->room = min_int(deliver_room_at(serving->deliver, &turn->place, &serving->taken),
		                     turn->probe || share == 0 ? 1 : share);
		turn->next_at_us = serving->now_us + FULL_RECHECK_US;
	}
	serving->taken.all += turn->room;
	serving->taken.doubtful += turn->place.doubtful ? turn->room : 0;
}

/* Read after the lock was taken: if an endpoint is switched on at this moment, its queue is woken after us. */
static enum db_result judge_all(struct db *db, struct serving *serving)
{
	const struct queue_target *targets;
	int64_t endpoints[MAX_TURNS];
	size_t found;

	for (int i = 0; i < serving->turn_count; i++)
		endpoints[i] = serving->turns[i].place.endpoint;
	DB_TRY(queue_targets(db, endpoints, (size_t)serving->turn_count, serving->arena, &targets, &found));
	for (size_t i = 0; i < found; i++) {
		struct turn *turn = find_turn(serving, targets[i].endpoint);

		turn->exists = true;
		turn->next_at_us = INSTANT_NEVER;
		if (!targets[i].disabled)
			judge(serving, turn);
	}
	return DB_OK;
}

/* Deliveries that wait for a deleted endpoint fail. */
static enum db_result drop_gone(struct db *db, struct serving *serving)
{
	for (int i = 0; i < serving->turn_count; i++) {
		struct turn *turn = &serving->turns[i];
		bool empty;

		if (turn->exists)
			continue;
		DB_TRY(health_drop_queue(db, turn->place.endpoint, &empty));
		turn->next_at_us = empty ? INSTANT_NEVER : serving->now_us;
	}
	return DB_OK;
}

static void lease_row(struct serving *serving, struct turn *turn, int64_t id)
{
	serving->out[serving->count++] = (struct queued){
		.id = id,
		.place = turn->place,
		.probe = turn->probe,
		.watched = turn->probe || !health_is_clean(&turn->health, serving->now_us),
	};
	turn->leased++;
	turn->next_at_us = serving->lease_until_us;
}

/* Reads the first rows of each queue, one more than there is room for: that row says when to look again. */
static enum db_result read_queues(struct db *db, struct serving *serving)
{
	struct queue_part parts[MAX_TURNS];
	const struct queued_delivery *heads;
	size_t found;

	for (int i = 0; i < serving->turn_count; i++) {
		struct turn *turn = &serving->turns[i];
		bool served = turn->room > 0;

		parts[i] = served ? (struct queue_part){ turn->place.endpoint, turn->room + 1 } : (struct queue_part){ 0, 0 };
		turn->next_at_us = served ? INSTANT_NEVER : turn->next_at_us;
	}
	DB_TRY(queue_heads(db, parts, serving->turn_count, serving->arena, &heads, &found));
	for (size_t i = 0; i < found; i++) {
		struct turn *turn = find_turn(serving, heads[i].endpoint);

		if (turn->leased < turn->room && heads[i].wake_at_us <= serving->now_us)
			lease_row(serving, turn, heads[i].id);
		else if (heads[i].wake_at_us < turn->next_at_us)
			turn->next_at_us = max_of(heads[i].wake_at_us, serving->now_us);
	}
	return DB_OK;
}

static enum db_result write_turns(struct db *db, const struct serving *serving)
{
	struct queue_turn turns[MAX_TURNS];
	size_t count = 0;

	for (int i = 0; i < serving->turn_count; i++) {
		const struct turn *turn = &serving->turns[i];
		bool probing = turn->probe && turn->leased != 0;

		if (!turn->waits)
			turns[count++] = (struct queue_turn){
				turn->place.endpoint,
				turn->next_at_us,
				probing ? serving->lease_until_us : turn->health.probe_until_us,
			};
	}
	return queue_save_turns(db, turns, count, serving->arena);
}

static enum db_result serve(struct db *db, struct serving *serving)
{
	int64_t ids[QUEUES_MAX];

	if (serving->from.new_us <= serving->now_us)
		DB_TRY(sort_new(db, serving));
	serving->first_new = 0;
	/* Doubtful endpoints come first, with their small part. Otherwise they would get nothing while many others have
	 * much to send. */
	DB_TRY(lock_endpoints(db, serving, true,
	                      min_int(deliver_free_doubtful(serving->deliver, DELIVER_EVENT), MAX_DOUBTFUL)));
	DB_TRY(lock_endpoints(db, serving, false, MAX_TURNS));
	if (serving->turn_count == 0)
		return DB_OK;
	DB_TRY(judge_all(db, serving));
	DB_TRY(drop_gone(db, serving));
	DB_TRY(read_queues(db, serving));
	for (int i = 0; i < serving->count; i++)
		ids[i] = serving->out[i].id;
	DB_TRY(queue_lease(db, ids, (size_t)serving->count, serving->lease_until_us, serving->arena));
	return write_turns(db, serving);
}

static enum db_result run_serve(struct db *db, void *context)
{
	struct serving *serving = context;
	int64_t now_us = clock_now_us();
	enum db_result result;

	*serving = (struct serving){
		.conf = serving->conf,
		.deliver = serving->deliver,
		.out = serving->out,
		.now_us = now_us,
		.from = serving->from,
		.max_new = serving->max_new,
		.max_turns = serving->max_turns,
		.slots = deliver_free_slots(serving->deliver, DELIVER_EVENT),
		.lease_until_us = now_us + serving->conf->lease_seconds * US_PER_SECOND,
		.arena = arena_new(),
	};
	result = serve(db, serving);
	health_note_wait(db, result);
	arena_free(serving->arena);
	return result;
}

/* Sets aside the one delivery, or the one endpoint, whose work the server has refused. */
static enum db_result set_aside(struct db *db, const struct serving *serving, enum db_result why)
{
	bool is_new = serving->first_new != 0;
	int64_t id = is_new ? serving->first_new : serving->turns[0].place.endpoint;
	int64_t wait_us = conflict_wait_us(db, is_new ? CONFLICT_DELIVERY : CONFLICT_ENDPOINT, id, why);

	if (wait_us == 0) {
		log_error("%s is set aside for a minute, because the database refuses to work on it %s=%lld",
		          is_new ? "a delivery" : "an endpoint", is_new ? "delivery" : "endpoint", (long long)id);
		wait_us = SET_ASIDE_US;
	}
	return is_new ? queue_leave_new(db, id, serving->now_us + wait_us) : queue_leave(db, id, serving->now_us + wait_us);
}

/* Returns whether the search for the delivery or the endpoint is given up: there is none, or each step would have to
 * wait for a lock. */
static bool is_search_over(const struct db *db, const struct serving *serving, enum db_result result)
{
	return (serving->first_new == 0 && serving->turn_count == 0) || (result == DB_CONFLICT && db_waited_for_lock(db));
}

/* Serves fewer and fewer at once until what the server refuses is alone. */
static enum db_result serve_without_refused(struct db *db, struct serving *serving, enum db_result result)
{
	while (db_is_refusal(result)) {
		int *limit = serving->first_new != 0 ? &serving->max_new : &serving->max_turns;

		if (is_search_over(db, serving, result))
			return result;
		if (*limit == 1) {
			serving->count = 0;
			return set_aside(db, serving, result);
		}
		*limit /= 2;
		result = db_transact_briefly(db, DB_ONCE, run_serve, serving);
	}
	return result;
}

enum db_result queues_lease(struct db *db, const struct deliver *deliver, const struct conf *conf,
                            const struct queues_from *from, struct queued out[QUEUES_MAX], int *count, int *looked)
{
	struct serving serving = {
		.conf = conf, .deliver = deliver, .out = out, .from = *from, .max_new = MAX_NEW, .max_turns = MAX_TURNS
	};
	enum db_result result = serve_without_refused(db, &serving, db_transact_briefly(db, DB_ONCE, run_serve, &serving));

	*count = result == DB_OK ? serving.count : 0;
	*looked = result == DB_OK ? serving.looked : 0;
	return result;
}
