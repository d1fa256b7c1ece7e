#include "scheduler/queues.h"

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/log.h"
#include "domain/health.h"
#include "store/conflicts.h"
#include "store/health_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define MAX_NEW 500  /* deliveries sorted into queues at once */
#define MAX_TURNS 32 /* endpoints served at once: SQL_OUTBOX_HEADS_32 reads this many queues */
#define MAX_DOUBTFUL 8 /* of these */
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

/* Moves these deliveries to the queues of their endpoints, except those of locked endpoints. */
static enum db_result sort_deliveries(struct db *db, struct serving *serving, const struct db_rows *rows,
                                      const bool *is_locked)
{
	struct health_wake *wakes = arena_alloc(serving->arena, rows->count * sizeof *wakes);
	struct rows ids = rows_new(serving->arena), left = rows_new(serving->arena);
	size_t count = 0;

	for (size_t r = 0; r < rows->count; r++) {
		rows_add_id(is_locked[r] ? &left : &ids, db_get_int(rows, r, 0));
		if (!is_locked[r])
			wakes[count++] = (struct health_wake){ db_get_int(rows, r, 1), serving->now_us };
	}
	DB_TRY(db_exec(db, SQL_OUTBOX_SORT, DB_ARGS(rows_value(&ids))));
	DB_TRY(db_exec(db, SQL_OUTBOX_LEAVE_NEW, DB_ARGS(
		rows_value(&left), db_instant(serving->now_us + LOCKED_RECHECK_US))));
	return health_wake(db, HEALTH_ANY, wakes, count);
}

static enum db_result sort_new(struct db *db, struct serving *serving)
{
	int64_t *endpoints;
	bool *is_locked;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_OUTBOX_NEW, DB_ARGS(
		db_instant(serving->from.new_us), db_instant(serving->now_us), db_int(serving->max_new)), serving->arena,
	                &rows));
	serving->looked += (int)rows.count;
	if (rows.count == 0)
		return DB_OK;
	serving->first_new = db_get_int(&rows, 0, 0);
	endpoints = arena_alloc(serving->arena, rows.count * sizeof *endpoints);
	is_locked = arena_alloc(serving->arena, rows.count * sizeof *is_locked);
	for (size_t r = 0; r < rows.count; r++)
		endpoints[r] = db_get_int(&rows, r, 1);
	DB_TRY(health_find_locked(db, endpoints, rows.count, is_locked));
	return sort_deliveries(db, serving, &rows, is_locked);
}

/* Locks endpoints that are due, the longest waiting first. */
static enum db_result lock_endpoints(struct db *db, struct serving *serving, bool doubtful, int limit)
{
	int64_t from_us = min_of(serving->from.endpoints_us, serving->now_us); /* sort_new has woken some now */
	const struct endpoint_health *endpoints;
	struct db_rows rows;

	limit = min_int(limit, serving->max_turns - serving->turn_count);
	if (limit <= 0)
		return DB_OK;
	DB_TRY(db_query(db, SQL_OUTBOX_ENDPOINTS, DB_ARGS(
		db_int(doubtful), db_instant(from_us), db_instant(serving->now_us), db_int(limit)), serving->arena,
	                &rows));
	endpoints = DB_STRUCTS(&rows, struct endpoint_health);
	for (size_t r = 0; r < rows.count; r++)
		serving->turns[serving->turn_count++] = (struct turn){
			.place = { DELIVER_EVENT, endpoints[r].endpoint, doubtful }, .health = endpoints[r].health,
		};
	serving->looked += (int)rows.count;
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
	       (!turn->place.doubtful ||
	        serving->taken.doubtful < deliver_free_doubtful(serving->deliver, DELIVER_EVENT));
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
	struct rows ids = rows_new(serving->arena);
	struct db_rows rows;

	for (int i = 0; i < serving->turn_count; i++)
		rows_add_id(&ids, serving->turns[i].place.endpoint);
	DB_TRY(db_query(db, SQL_OUTBOX_TARGETS, DB_ARGS(rows_value(&ids)), serving->arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		struct turn *turn = find_turn(serving, db_get_int(&rows, r, 0));

		turn->exists = true;
		turn->next_at_us = INSTANT_NEVER;
		if (db_get_int(&rows, r, 1) == 0)
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
		.id = id, .place = turn->place, .probe = turn->probe,
		.watched = turn->probe || !health_is_clean(&turn->health, serving->now_us),
	};
	turn->leased++;
	turn->next_at_us = serving->lease_until_us;
}

/* Reads the first rows of each queue, one more than there is room for: that row says when to look again. */
static enum db_result read_queues(struct db *db, struct serving *serving)
{
	struct db_value args[2 * MAX_TURNS];
	int heads = serving->turn_count <= 8 ? 8 : MAX_TURNS;
	struct db_rows rows;

	for (int i = 0; i < heads; i++) {
		const struct turn *turn = &serving->turns[i];
		bool served = i < serving->turn_count && turn->room > 0;

		args[2 * i] = db_int(served ? turn->place.endpoint : 0);
		args[2 * i + 1] = db_int(served ? turn->room + 1 : 0);
	}
	DB_TRY(db_query(db, heads == 8 ? SQL_OUTBOX_HEADS_8 : SQL_OUTBOX_HEADS_32, args, 2 * (size_t)heads,
	                serving->arena, &rows));
	for (int i = 0; i < serving->turn_count; i++)
		if (serving->turns[i].room > 0)
			serving->turns[i].next_at_us = INSTANT_NEVER;
	for (size_t r = 0; r < rows.count; r++) {
		struct turn *turn = find_turn(serving, db_get_int(&rows, r, 1));
		int64_t wake_at_us = db_get_int(&rows, r, 2);

		if (turn->leased < turn->room && wake_at_us <= serving->now_us)
			lease_row(serving, turn, db_get_int(&rows, r, 0));
		else if (wake_at_us < turn->next_at_us)
			turn->next_at_us = wake_at_us > serving->now_us ? wake_at_us : serving->now_us;
	}
	return DB_OK;
}

static enum db_result write_turns(struct db *db, const struct serving *serving)
{
	struct rows rows = rows_new(serving->arena);

	for (int i = 0; i < serving->turn_count; i++) {
		const struct turn *turn = &serving->turns[i];
		bool probing = turn->probe && turn->leased != 0;

		if (turn->waits)
			continue;
		rows_next(&rows);
		rows_int(&rows, "id", turn->place.endpoint);
		rows_instant(&rows, "next_at", turn->next_at_us);
		rows_instant(&rows, "probe_until", probing ? serving->lease_until_us : turn->health.probe_until_us);
	}
	return db_exec(db, SQL_OUTBOX_TURNS, DB_ARGS(rows_value(&rows)));
}

static enum db_result serve(struct db *db, struct serving *serving)
{
	struct rows ids;

	if (serving->from.new_us <= serving->now_us)
		DB_TRY(sort_new(db, serving));
	serving->first_new = 0;
	/* The small part of doubtful endpoints comes first, or they would have none while many others have much to
	 * send. */
	DB_TRY(lock_endpoints(db, serving, true,
	                      min_int(deliver_free_doubtful(serving->deliver, DELIVER_EVENT), MAX_DOUBTFUL)));
	DB_TRY(lock_endpoints(db, serving, false, MAX_TURNS));
	if (serving->turn_count == 0)
		return DB_OK;
	DB_TRY(judge_all(db, serving));
	DB_TRY(drop_gone(db, serving));
	DB_TRY(read_queues(db, serving));
	ids = rows_new(serving->arena);
	for (int i = 0; i < serving->count; i++)
		rows_add_id(&ids, serving->out[i].id);
	DB_TRY(db_exec(db, SQL_OUTBOX_LEASE, DB_ARGS(rows_value(&ids), db_instant(serving->lease_until_us))));
	return write_turns(db, serving);
}

static enum db_result run_serve(struct db *db, void *context)
{
	struct serving *serving = context;
	int64_t now_us = clock_now_us();
	enum db_result result;

	*serving = (struct serving){
		.conf = serving->conf, .deliver = serving->deliver, .out = serving->out, .now_us = now_us,
		.from = serving->from, .max_new = serving->max_new, .max_turns = serving->max_turns,
		.slots = deliver_free_slots(serving->deliver, DELIVER_EVENT),
		.lease_until_us = now_us + serving->conf->lease_seconds * US_PER_SECOND, .arena = arena_new(),
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
	return db_exec(db, is_new ? SQL_OUTBOX_SET_ASIDE_NEW : SQL_OUTBOX_SET_ASIDE, DB_ARGS(
		db_instant(serving->now_us + wait_us), db_int(id)));
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
		.conf = conf, .deliver = deliver, .out = out, .from = *from, .max_new = MAX_NEW, .max_turns = MAX_TURNS,
	};
	enum db_result result = serve_without_refused(db, &serving, db_transact_briefly(db, DB_ONCE, run_serve, &serving));

	*count = result == DB_OK ? serving.count : 0;
	*looked = result == DB_OK ? serving.looked : 0;
	return result;
}
