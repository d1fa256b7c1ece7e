#include "engine/zone_groups.h"

#include <string.h>

#include "domain/number_zones.h"
#include "engine/due_contacts.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

#define CLEARED_AT_ONCE 5000 /* as in the statement */

/* A row of batch_zones. */
struct zone_group {
	int64_t slot;
	const char *zones; /* "": the zone is not known */
	int64_t waiting;
};

COLUMNS(zone_group_columns, struct zone_group, COLUMN(struct zone_group, slot), COLUMN(struct zone_group, zones),
        COLUMN(struct zone_group, waiting));

struct unplanned_contact {
	int64_t position, attempt;
	const char *timezone, *phone_number;
};

COLUMNS(unplanned_contact_columns, struct unplanned_contact, COLUMN(struct unplanned_contact, position),
        COLUMN(struct unplanned_contact, attempt), COLUMN(struct unplanned_contact, timezone),
        COLUMN(struct unplanned_contact, phone_number));

/* How many contacts are in a zone, or in the zones of a number with this beginning. */
struct zone_count {
	const char *timezone, *beginning;
	int64_t contacts;
};

COLUMNS(zone_count_columns, struct zone_count, COLUMN(struct zone_count, timezone),
        COLUMN(struct zone_count, beginning), COLUMN(struct zone_count, contacts));

struct zone_groups {
	struct arena *arena;
	struct zone_group *list;
	size_t count, room;
};

static const char *known(const char *zones)
{
	return *zones != '\0' ? zones : NULL;
}

enum db_result zone_groups_clear(struct db *db, const struct batch *batch, bool *done)
{
	DB_TRY(db_exec(db, SQL_ZONES_CLEAR_CONTACTS, DB_ARGS(db_int(batch->id))));
	*done = db_affected(db) < CLEARED_AT_ONCE;
	return *done ? db_exec(db, SQL_ZONES_CLEAR, DB_ARGS(db_int(batch->id))) : DB_OK;
}

static struct zone_group *add_group(struct zone_groups *groups, const char *zones)
{
	struct zone_group *group;

	if (groups->count == groups->room) {
		struct zone_group *list = groups->list;

		groups->room = 2 * groups->room + 16;
		groups->list = arena_alloc(groups->arena, groups->room * sizeof *list);
		if (groups->count != 0)
			memcpy(groups->list, list, groups->count * sizeof *list);
	}
	group = &groups->list[groups->count];
	*group = (struct zone_group){ .slot = (int64_t)groups->count + 1, .zones = zones };
	groups->count++;
	return group;
}

static struct zone_group *find_group(struct zone_groups *groups, const char *zones)
{
	for (size_t i = 0; i < groups->count; i++)
		if (strcmp(groups->list[i].zones, zones) == 0)
			return &groups->list[i];
	return add_group(groups, zones);
}

static enum db_result load_groups(struct db *db, const struct batch *batch, struct zone_groups *groups)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ZONES_GET, DB_ARGS(db_int(batch->id)), groups->arena, &rows));
	groups->list = DB_STRUCTS(&rows, struct zone_group);
	groups->count = groups->room = rows.count;
	return DB_OK;
}

static enum db_result save_groups(struct db *db, const struct batch *batch, const struct zone_groups *groups)
{
	struct rows rows = rows_new(groups->arena);

	for (size_t i = 0; i < groups->count; i++) {
		rows_next(&rows);
		rows_int(&rows, "slot", groups->list[i].slot);
		rows_text(&rows, "zones", groups->list[i].zones);
		rows_int(&rows, "waiting", groups->list[i].waiting);
	}
	return db_exec(db, SQL_ZONES_SAVE, DB_ARGS(db_int(batch->id), rows_value(&rows)));
}

static enum db_result add_contacts(struct db *db, const struct batch *batch, const struct unplanned_contact *contacts,
                                   size_t count, struct zone_groups *groups)
{
	struct rows rows = rows_new(groups->arena);

	for (size_t i = 0; i < count; i++) {
		const char *zones = contact_zones(contacts[i].timezone, contacts[i].phone_number);
		struct zone_group *group = find_group(groups, zones != NULL ? zones : "");

		group->waiting++;
		rows_next(&rows);
		rows_int(&rows, "slot", group->slot);
		rows_int(&rows, "position", contacts[i].position);
		rows_int(&rows, "attempt", contacts[i].attempt);
	}
	return db_exec(db, SQL_ZONES_ADD_CONTACTS, DB_ARGS(db_int(batch->id), rows_value(&rows)));
}

static enum db_result sort_contacts(struct db *db, struct batch *batch, int limit, struct arena *arena,
                                    enum calendar_answer *answer)
{
	struct calendar calendar = batch_calendar(&batch->config, NULL);
	struct zone_groups groups = { .arena = arena };
	const struct unplanned_contact *contacts;
	struct db_rows rows;
	struct span span;

	DB_TRY(db_query(db, SQL_ZONES_UNPLANNED, DB_ARGS(db_int(batch->id), db_int(batch->plan_position), db_int(limit)),
	                arena, &rows));
	contacts = DB_STRUCTS(&rows, struct unplanned_contact);
	if (rows.count != 0)
		*answer = calendar_find_span(&calendar, batch->plan.next_us, &span);
	if (*answer != CALENDAR_SPAN)
		return DB_OK;
	batch->plan_position = (int64_t)rows.count == limit ? contacts[rows.count - 1].position : batch->counts.total;
	if (rows.count == 0)
		return DB_OK;
	DB_TRY(load_groups(db, batch, &groups));
	DB_TRY(add_contacts(db, batch, contacts, rows.count, &groups));
	return save_groups(db, batch, &groups);
}

enum db_result zone_groups_sort(struct db *db, struct batch *batch, int limit, enum calendar_answer *answer)
{
	struct arena *arena = arena_new();
	enum db_result result = sort_contacts(db, batch, limit, arena, answer);

	arena_free(arena);
	return result;
}

static enum db_result take_first(struct db *db, const struct batch *batch, struct zone_group *group, int64_t count)
{
	group->waiting -= count;
	return db_exec(db, SQL_ZONES_TAKE, DB_ARGS(db_int(batch->id), db_int(group->slot), db_int(count)));
}

static enum db_result insert_segment(struct db *db, const struct batch *batch, struct zone_group *group,
                                     const struct plan_segment *segment)
{
	enum db_result result = DB_DUPLICATE;

	/* A retry may have the same instant as another that is there already. */
	for (int run = 0; result == DB_DUPLICATE && run < DUE_CONTACTS_RUNS; run++)
		result = db_exec(db, SQL_ZONES_PLAN,
		                 DB_ARGS(db_instant(segment->first_us), db_int(segment->gap_us),
		                         db_int(due_contacts_shift_us(run)), db_int(batch->id), db_int(group->slot),
		                         db_int(segment->count), db_instant(batch->updated_at_us)));
	if (result == DB_OK && db_affected(db) != segment->count) /* not as many as were counted */
		result = DB_CONFLICT;
	if (result != DB_OK)
		return result == DB_DUPLICATE ? DB_CONFLICT : result;
	return take_first(db, batch, group, segment->count);
}

/* No day can take these contacts. They are skipped, or end with the outcome of their last call. */
static enum db_result skip_contacts(struct db *db, const struct batch *batch, struct zone_group *group, int limit,
                                    struct arena *arena)
{
	struct rows skips = rows_new(arena);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ZONES_FIRST, DB_ARGS(db_int(batch->id), db_int(group->slot), db_int(limit)), arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		enum contact_status status = contact_status_without((enum call_status)db_get_int(&rows, r, 1));

		rows_next(&skips);
		rows_int(&skips, "batch_id", batch->id);
		rows_int(&skips, "position", db_get_int(&rows, r, 0));
		rows_int(&skips, "status", status);
		rows_int(&skips, "skip_reason", status == CONTACT_SKIPPED ? SKIP_NO_CALLING_WINDOW : SKIP_NONE);
	}
	DB_TRY(db_exec(db, SQL_CLAIM_SKIP, DB_ARGS(rows_value(&skips))));
	DB_TRY(db_exec(db, SQL_CLAIM_SKIP_COUNTERS, DB_ARGS(rows_value(&skips))));
	return take_first(db, batch, group, (int64_t)rows.count);
}

static struct plan_group *plan_groups(const struct batch *batch, const struct zone_groups *groups, struct arena *arena)
{
	struct plan_group *plan = arena_alloc(arena, groups->count * sizeof *plan);

	for (size_t i = 0; i < groups->count; i++)
		plan[i] = (struct plan_group){
			.calendar = batch_calendar(&batch->config, known(groups->list[i].zones)),
			.left = groups->list[i].waiting,
		};
	return plan;
}

/* The contacts that are left wait until their zones can be read. */
static void note_unreadable(struct batch *batch, const struct zone_groups *groups, const struct plan_group *plan)
{
	const struct plan_group *first = NULL;
	int64_t left = 0;

	for (size_t i = groups->count; i-- > 0;)
		if (groups->list[i].waiting != 0) {
			left += groups->list[i].waiting;
			first = &plan[i];
		}
	*batch->zone_trouble = '\0';
	if (first != NULL)
		batch_write_zone_trouble(batch->zone_trouble, &first->calendar, left);
}

static enum db_result plan_contacts(struct db *db, struct batch *batch, int limit, struct plan_segment *segments,
                                    int max_segments, int *segment_count, struct arena *arena, bool *done)
{
	struct plan_rules rules = batch_plan_rules(&batch->config);
	struct zone_groups groups = { .arena = arena };
	struct plan_group *plan;
	int64_t left = 0;
	int planned;

	DB_TRY(load_groups(db, batch, &groups));
	plan = plan_groups(batch, &groups, arena);
	*segment_count = plan_group_segments(&rules, plan, (int)groups.count, &batch->plan, limit, segments, max_segments,
	                                     &planned);
	for (int i = 0; i < *segment_count; i++)
		DB_TRY(insert_segment(db, batch, &groups.list[segments[i].group], &segments[i]));
	for (size_t i = 0; i < groups.count && planned < limit; i++) {
		if (groups.list[i].waiting == 0 || plan[i].answer != CALENDAR_NEVER)
			continue;
		DB_TRY(skip_contacts(db, batch, &groups.list[i], limit, arena));
		break; /* the other contacts have a step of their own */
	}
	for (size_t i = 0; i < groups.count; i++)
		if (plan[i].answer != CALENDAR_UNREADABLE)
			left += groups.list[i].waiting;
	*done = left == 0;
	if (*done)
		note_unreadable(batch, &groups, plan);
	return save_groups(db, batch, &groups);
}

enum db_result zone_groups_plan(struct db *db, struct batch *batch, int limit, struct plan_segment *segments,
                                int max_segments, int *segment_count, bool *done)
{
	struct arena *arena = arena_new();
	enum db_result result = plan_contacts(db, batch, limit, segments, max_segments, segment_count, arena, done);

	arena_free(arena);
	return result;
}

enum db_result zone_groups_look(struct db *db, const struct batch *batch, bool *any, bool *readable)
{
	struct zone_groups groups = { .arena = arena_new() };
	enum db_result result = load_groups(db, batch, &groups);

	*any = *readable = false;
	for (size_t i = 0; result == DB_OK && i < groups.count && !*readable; i++) {
		struct calendar calendar = batch_calendar(&batch->config, known(groups.list[i].zones));
		char zone[ZONE_NAME_SIZE];

		if (groups.list[i].waiting == 0)
			continue;
		*any = true;
		*readable = calendar_trouble(&calendar, zone) == NULL;
	}
	arena_free(groups.arena);
	return result;
}

enum db_result zone_groups_count(struct db *db, const struct batch *batch, int64_t last, struct arena *arena,
                                 struct plan_group **groups, int *count)
{
	struct zone_groups found = { .arena = arena };
	const struct zone_count *counts;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ZONES_COUNT, DB_ARGS(db_int(number_zones_reach()), db_int(batch->id), db_int(last)), arena,
	                &rows));
	counts = DB_STRUCTS(&rows, struct zone_count);
	for (size_t r = 0; r < rows.count; r++) {
		const char *zones = contact_zones(counts[r].timezone, counts[r].beginning);

		find_group(&found, zones != NULL ? zones : "")->waiting += counts[r].contacts;
	}
	*groups = plan_groups(batch, &found, arena);
	*count = (int)found.count;
	return DB_OK;
}
