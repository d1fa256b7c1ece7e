#include "store/organization_store.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "store/batch_store.h"
#include "store/columns.h"
#include "store/statements.h"

/* A JSON array of [attempts, hours, days], as we wrote it. */
static struct field_list read_list(const char *text, struct arena *arena)
{
	struct contact_limit *list = arena_alloc(arena, CONTACT_LIMITS_MAX * sizeof *list);
	size_t count = 0;
	long long attempts, hours, days;

	for (text = strstr(text, "[["); text != NULL && count < CONTACT_LIMITS_MAX; text = strchr(text + 1, '[')) {
		text += count == 0;
		if (sscanf(text, "[%lld,%lld,%lld]", &attempts, &hours, &days) == 3)
			list[count++] = (struct contact_limit){ attempts, hours, days };
	}
	return (struct field_list){ list, count };
}

static void read_limits(const char *text, struct arena *arena, void *member)
{
	*(struct field_list *)member = read_list(text, arena);
}

static const char *write_limits(const void *member, struct arena *arena)
{
	const struct field_list *limits = member;
	const struct contact_limit *list = limits->items;
	struct buf text = { .arena = arena };
	struct json json = json_to(&text);

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < limits->count; i++) {
		json_begin_array(&json, NULL);
		json_int(&json, NULL, list[i].max_attempts);
		json_int(&json, NULL, list[i].period_hours);
		json_int(&json, NULL, list[i].period_days);
		json_end(&json);
	}
	json_end(&json);
	return text.data;
}

const struct column_form contact_limits_form = { read_limits, write_limits };

COLUMNS(organization_columns, struct organization, COLUMN(struct organization, id), COLUMN(struct organization, uuid),
        COLUMN(struct organization, name), INSTANT(struct organization, created_at),
        INSTANT(struct organization, updated_at),
        FORM_AS(struct organization, calling_windows, calling_windows, &calling_windows_form),
        CONTACT_LIMITS_COLUMNS(struct organization, limits));

static COLUMNS(hours_columns, struct organization,
               FORM_AS(struct organization, calling_windows, calling_windows, &calling_windows_form));

COLUMNS(limits_columns, struct contact_limits, FORM_AS(struct contact_limits, limits, list, &contact_limits_form),
        COLUMN(struct contact_limits, rest_hours));

COLUMNS(organization_place_columns, struct organization_place_of, COLUMN(struct organization_place_of, id),
        COLUMN(struct organization_place_of, uuid), COLUMN(struct organization_place_of, name),
        COLUMN(struct organization_place_of, place), COLUMN(struct organization_place_of, cell),
        INSTANT(struct organization_place_of, created_at));

enum db_result organization_place(struct db *db, int64_t id, struct arena *arena, struct organization_place_of *out)
{
	return DB_GET(db, SQL_ORGANIZATION_PLACE, DB_ARGS(db_int(id)), arena, struct organization_place_of, out);
}

enum db_result organization_places(struct db *db, struct arena *arena, const struct organization_place_of **list,
                                   size_t *count)
{
	return DB_LIST(db, SQL_ORGANIZATION_PLACES, DB_NO_ARGS, arena, struct organization_place_of, list, count);
}

enum db_result organization_enter(struct db *db, int64_t id)
{
	int64_t place;
	enum db_result result = db_query_int(db, SQL_ORGANIZATION_ENTER, DB_ARGS(db_int(id)), &place);

	if (result != DB_OK)
		return result == DB_NOT_FOUND ? DB_REFUSED : result;
	return place == ORGANIZATION_HERE ? DB_OK : DB_REFUSED;
}

enum db_result organization_any_arrives(struct db *db, bool *arrives)
{
	int64_t count;
	enum db_result result = db_query_int(db, SQL_ORGANIZATION_ANY_ARRIVES, DB_NO_ARGS, &count);

	*arrives = result == DB_OK && count > 0;
	return result;
}

enum db_result organization_lock_place(struct db *db, int64_t id, int64_t *place)
{
	enum db_result result = db_query_int(db, SQL_ORGANIZATION_LOCK_PLACE, DB_ARGS(db_int(id)), place);

	return result == DB_NOT_FOUND ? DB_REFUSED : result;
}

enum db_result organization_get(struct db *db, int64_t id, struct arena *arena, struct organization *out)
{
	return DB_GET(db, SQL_ORGANIZATION_GET, DB_ARGS(db_int(id)), arena, struct organization, out);
}

enum db_result organization_lock(struct db *db, int64_t id, struct arena *arena, struct organization *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ORGANIZATION_LOCK, DB_ARGS(db_int(id)), arena, &rows));
	DB_TRY(db_guard(db, GUARD_ORGANIZATION, id));
	return organization_get(db, id, arena, out);
}

/* The row stays when the last limit is removed, because it is the lock. */
enum db_result organization_save_limits(struct db *db, const struct organization *organization)
{
	struct db_value limits = db_members(&limits_columns, &organization->limits);
	struct db_value at = db_instant(organization->updated_at_us);

	return db_exec(db, SQL_ORGANIZATION_SET_LIMITS, DB_ARGS(db_int(organization->id), limits, at, limits, at));
}

enum db_result organization_save_hours(struct db *db, const struct organization *organization)
{
	return db_exec(db, SQL_ORGANIZATION_SET_HOURS,
	               DB_ARGS(db_members(&hours_columns, organization), db_instant(organization->updated_at_us),
	                       db_int(organization->id)));
}

enum db_result organization_lock_limits(struct db *db, int64_t id, struct arena *arena, struct contact_limits *out)
{
	struct db_rows rows;

	*out = (struct contact_limits){ .rest_hours = 0 };
	DB_TRY(db_query(db, SQL_ORGANIZATION_LOCK_LIMITS, DB_ARGS(db_int(id)), arena, &rows));
	if (DB_FIRST(&rows, struct contact_limits, out) != DB_OK)
		return DB_OK;
	return db_guard(db, GUARD_LIMITS, id);
}
