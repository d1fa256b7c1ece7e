#include "engine/planning.h"

#include "base/instant.h"
#include "base/least.h"
#include "domain/gate.h"
#include "engine/due_contacts.h"
#include "engine/front_contacts.h"
#include "engine/zone_groups.h"
#include "store/batch_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define MAX_SEGMENTS 64 /* per chunk: the join in SQL_PLAN_INSERT compares each with every position */

void planning_restart(struct batch *batch, int64_t from_us)
{
	if (batch->work != BATCH_WORK_COPY) /* then copying, and planning after it, goes on anyway */
		batch->work = BATCH_WORK_CLEAR_PLAN;
	batch->plan_position = 0;
	batch->plan = (struct plan_cursor){
		.next_us = max_of(from_us, batch->config.scheduled_at.us),
		.day = batch->day,
		.day_calls = (int)batch->day_calls,
	};
	batch->planned_from_us = batch->planned_until_us = INSTANT_NONE;
}

void planning_continue(struct batch *batch, int64_t from_us)
{
	if (batch->work == BATCH_WORK_DISPATCH)
		batch->work = BATCH_WORK_PLAN;
	batch->plan.next_us = max_of(batch->plan.next_us, max_of(from_us, batch->config.scheduled_at.us));
}

enum db_result planning_is_late(struct db *db, const struct batch *batch, int64_t now_us, bool *late)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_PLAN_FIRST_LATE, DB_ARGS(db_int(batch->id), db_instant(now_us)), arena,
	                                 &rows);

	*late = result == DB_OK && rows.count != 0;
	arena_free(arena);
	return result;
}

bool planning_was_given_up(const struct batch *batch)
{
	return batch->work == BATCH_WORK_DISPATCH && batch->plan_position < batch->counts.total;
}

/* An instant belongs to one contact, so another one is tried. */
static enum db_result advance_waiting(struct db *db, const struct batch *batch)
{
	struct db_value from = db_instant(instant_ceil_ms(batch->plan.next_us));
	enum db_result result = DB_DUPLICATE;

	for (int run = 0; result == DB_DUPLICATE && run < DUE_CONTACTS_RUNS; run++)
		result = db_exec(db, SQL_PLAN_ADVANCE_WAITING,
		                 DB_ARGS(from, db_int(due_contacts_shift_us(run)), db_int(batch->id), from));
	return result == DB_DUPLICATE ? DB_CONFLICT : result;
}

/* Contacts that another rule postponed may be called earlier by the new plan. */
static enum db_result clear_moved(struct db *db, const struct batch *batch, bool *done)
{
	DB_TRY(db_exec(db, SQL_PLAN_CLEAR_RETRIES, DB_ARGS(db_int(batch->id), db_instant(batch->plan.next_us))));
	*done = db_affected(db) < PLAN_ROWS;
	DB_TRY(advance_waiting(db, batch));
	*done = *done && db_affected(db) < PLAN_ROWS;
	return DB_OK;
}

static enum db_result clear_chunk(struct db *db, struct batch *batch)
{
	bool done;

	DB_TRY(db_exec(db, SQL_PLAN_CLEAR, DB_ARGS(db_int(batch->id), db_instant(batch->plan.next_us))));
	done = db_affected(db) < PLAN_ROWS;
	if (done)
		DB_TRY(clear_moved(db, batch, &done));
	if (done && batch->config.respect_contact_timezone)
		DB_TRY(zone_groups_clear(db, batch, &done));
	if (done)
		batch->work = BATCH_WORK_PLAN;
	return DB_OK;
}

/* Finds how many of the next `wanted` unplanned contacts there are, and the position of the last. */
static enum db_result find_unplanned(struct db *db, const struct batch *batch, struct arena *arena, int wanted,
                                     int *count, int64_t *last_position)
{
	struct db_value id = db_int(batch->id), after = db_int(batch->plan_position);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_PLAN_NTH_UNPLANNED, DB_ARGS(id, after, db_int(wanted - 1)), arena, &rows));
	if (rows.count != 0) {
		*count = wanted;
		*last_position = db_get_int(&rows, 0, 0);
		return DB_OK;
	}
	DB_TRY(db_query(db, SQL_PLAN_COUNT_UNPLANNED, DB_ARGS(id, after), arena, &rows));
	*count = (int)db_get_int(&rows, 0, 0);
	*last_position = db_get_int(&rows, 0, 1);
	return DB_OK;
}

static enum db_result insert_segments(struct db *db, const struct batch *batch, struct arena *arena,
                                      int64_t last_position, const struct plan_segment *segments, int count)
{
	struct rows rows = rows_new(arena);
	enum db_result result = DB_DUPLICATE;
	int64_t nth = 1;

	for (int i = 0; i < count; i++) {
		rows_next(&rows);
		rows_int(&rows, "nth_first", nth);
		rows_int(&rows, "nth_last", nth + segments[i].count - 1);
		rows_instant(&rows, "first_at", segments[i].first_us);
		rows_int(&rows, "gap", segments[i].gap_us);
		nth += segments[i].count;
	}
	/* A retry may have the same instant as another that is there already. */
	for (int run = 0; result == DB_DUPLICATE && run < DUE_CONTACTS_RUNS; run++)
		result = db_exec(db, SQL_PLAN_INSERT,
		                 DB_ARGS(db_int(batch->id), db_int(due_contacts_shift_us(run)), rows_value(&rows),
		                         db_int(batch->id), db_int(batch->plan_position), db_int(last_position),
		                         db_instant(batch->updated_at_us)));
	if (result == DB_OK && db_affected(db) != nth - 1) /* not as many as were counted */
		result = DB_CONFLICT;
	return result == DB_DUPLICATE ? DB_CONFLICT : result;
}

static void note_extent(struct batch *batch, const struct plan_segment *segments, int count)
{
	const struct plan_segment *last = &segments[count - 1];

	if (batch->planned_from_us == INSTANT_NONE)
		batch->planned_from_us = segments[0].first_us;
	batch->planned_until_us = max_of(batch->planned_until_us, last->first_us + (last->count - 1) * last->gap_us);
}

static enum db_result plan_chunk(struct db *db, struct batch *batch, struct arena *arena, enum calendar_answer *answer)
{
	struct plan_rules rules = batch_plan_rules(&batch->config);
	struct plan_group all = { .calendar = rules.calendar, .left = PLAN_ROWS };
	struct plan_segment segments[MAX_SEGMENTS];
	struct plan_cursor cursor = batch->plan;
	int64_t last_position;
	int wanted, count;

	plan_group_segments(&rules, &all, 1, &cursor, PLAN_ROWS, segments, MAX_SEGMENTS, &wanted);
	DB_TRY(find_unplanned(db, batch, arena, wanted > 0 ? wanted : 1, &count, &last_position));
	if (count == 0) {
		batch->work = BATCH_WORK_DISPATCH;
		batch->plan_position = batch->counts.total;
		return DB_OK;
	}
	if (wanted == 0) {
		*answer = all.answer;
		return DB_OK;
	}
	int made = plan_segments(&rules, &batch->plan, count, segments, MAX_SEGMENTS, &wanted);
	DB_TRY(insert_segments(db, batch, arena, last_position, segments, made));
	note_extent(batch, segments, made);
	batch->plan_position = last_position;
	if (batch->plan_position == batch->counts.total)
		batch->work = BATCH_WORK_DISPATCH;
	return DB_OK;
}

/* Plans by groups of contacts: first all contacts are sorted into groups, then the groups are planned. */
static enum db_result plan_group_chunk(struct db *db, struct batch *batch, enum calendar_answer *answer)
{
	struct plan_segment segments[MAX_SEGMENTS];
	bool done;
	int made;

	if (batch->plan_position < batch->counts.total)
		return zone_groups_sort(db, batch, PLAN_ROWS, answer);
	DB_TRY(zone_groups_plan(db, batch, PLAN_ROWS, segments, MAX_SEGMENTS, &made, &done));
	if (made != 0)
		note_extent(batch, segments, made);
	if (done)
		batch->work = BATCH_WORK_DISPATCH;
	return DB_OK;
}

static enum db_result plan_step(struct db *db, struct batch *batch, struct arena *arena, enum calendar_answer *answer)
{
	if (batch->work == BATCH_WORK_CLEAR_PLAN)
		return clear_chunk(db, batch);
	if (batch->front_from != 0 && batch->plan_position == 0)
		DB_TRY(front_contacts_plan(db, batch, arena));
	return batch->config.respect_contact_timezone ? plan_group_chunk(db, batch, answer)
	                                              : plan_chunk(db, batch, arena, answer);
}

/* Sets when a scheduler should look: at once to go on planning, else when the first contact is due; earlier if a zone
 * may be readable again. */
static enum db_result next_look(struct db *db, struct batch *batch, enum calendar_answer answer, struct arena *arena)
{
	int64_t recheck_us = batch->updated_at_us + PLAN_ZONE_RECHECK_US;
	struct db_rows rows;

	if (batch->work != BATCH_WORK_DISPATCH) {
		batch->wake_at_us = answer == CALENDAR_UNREADABLE ? recheck_us : batch->updated_at_us;
		return DB_OK;
	}
	if (*batch->zone_trouble == '\0')
		recheck_us = INSTANT_NEVER;
	batch->wake_at_us = INSTANT_NEVER;
	if (!batch_is_running(batch->status))
		return DB_OK;
	DB_TRY(db_query(db, SQL_PLAN_FIRST_DUE, DB_ARGS(db_int(batch->id)), arena, &rows));
	/* If no contact waits, a scheduler looks at once, to complete the campaign. */
	batch->wake_at_us = rows.count != 0 ? min_of(db_get_int(&rows, 0, 0), recheck_us) : batch->updated_at_us;
	return DB_OK;
}

/* Finds the gate that holds the campaign, as far as it is known before a scheduler looks. The other gates are
 * judged when the first contact is due. */
static struct gate_hold judge_hold(const struct batch *batch, enum calendar_answer answer)
{
	struct gate_facts facts = {
		.now_us = batch->updated_at_us,
		.status = batch->status,
		.start_at_us = batch->config.scheduled_at.us,
		.has_number = true,
		.has_dialer = true,
		.dialer_opens_at_us = INSTANT_NONE,
		.dialer_room = INT64_MAX,
		.calendar = batch_plan_rules(&batch->config).calendar,
		.max_per_day = batch->config.max_calls_per_day,
		.day = batch->day,
		.day_calls = batch->day_calls,
		.numbers_room = INT64_MAX,
		.numbers_open_at_us = INSTANT_NONE,
		.free_places = INT64_MAX,
	};

	if (answer == CALENDAR_UNREADABLE)
		return (struct gate_hold){ gate_name(GATE_TIME_ZONE), INSTANT_NEVER };
	if (batch->work != BATCH_WORK_DISPATCH || batch->wake_at_us <= batch->updated_at_us ||
	    calendar_find_span(&facts.calendar, facts.now_us, &facts.span) != CALENDAR_SPAN)
		return GATE_NO_HOLD;
	return gates_hold(&facts, batch->wake_at_us);
}

static enum db_result save_plan(struct db *db, struct batch *batch, enum calendar_answer answer, struct arena *arena)
{
	struct gate_hold hold;

	DB_TRY(next_look(db, batch, answer, arena));
	hold = judge_hold(batch, answer);
	return db_exec(db, SQL_PLAN_SAVE,
	               DB_ARGS(db_int(batch->work), db_instant(batch->wake_at_us), db_int(batch->plan_position),
	                       db_instant(batch->plan.next_us), db_int(batch->plan.day), db_int(batch->plan.day_calls),
	                       db_instant(batch->planned_from_us), db_instant(batch->planned_until_us), db_text(hold.gate),
	                       db_instant(hold.until_us), db_text(batch->zone_trouble), db_int(batch->id)));
}

static bool is_planning(const struct batch *batch)
{
	return batch->work == BATCH_WORK_CLEAR_PLAN || batch->work == BATCH_WORK_PLAN;
}

/* Records that the campaign begins or ends to wait for a zone. zone_groups_plan does that for single contacts. */
static void note_zone_trouble(struct batch *batch, enum calendar_answer answer)
{
	struct calendar calendar = batch_plan_rules(&batch->config).calendar;

	if (answer == CALENDAR_UNREADABLE)
		batch_write_zone_trouble(batch->zone_trouble, &calendar, 0);
	else if (!batch->config.respect_contact_timezone)
		*batch->zone_trouble = '\0';
}

enum db_result planning_run(struct db *db, struct batch *batch, int steps, enum calendar_answer *answer)
{
	struct arena *arena = arena_new();
	const char *before = arena_strdup(arena, batch->zone_trouble);
	enum db_result result = DB_OK;

	*answer = CALENDAR_SPAN;
	for (; steps > 0 && is_planning(batch) && *answer == CALENDAR_SPAN && result == DB_OK; steps--)
		result = plan_step(db, batch, arena, answer);
	note_zone_trouble(batch, *answer);
	if (result == DB_OK)
		result = save_plan(db, batch, *answer, arena);
	if (result == DB_OK)
		batch_log_zone_trouble(&batch->uuid, before, batch->zone_trouble);
	arena_free(arena);
	return result;
}

enum db_result planning_groups(struct db *db, const struct batch *batch, struct arena *arena,
                               struct plan_group **groups, int *count)
{
	if (batch->config.respect_contact_timezone)
		return zone_groups_count(db, batch, batch->counts.total, arena, groups, count);
	*groups = arena_alloc(arena, sizeof **groups);
	**groups = (struct plan_group){
		.calendar = batch_calendar(&batch->config, NULL),
		.left = batch->counts.pending,
	};
	*count = 1;
	return DB_OK;
}
