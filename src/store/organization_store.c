#include "store/organization_store.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
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

static void write_list(struct buf *out, const struct field_list *limits)
{
	const struct contact_limit *list = limits->items;
	struct json json = json_to(out);

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < limits->count; i++) {
		json_begin_array(&json, NULL);
		json_int(&json, NULL, list[i].max_attempts);
		json_int(&json, NULL, list[i].period_hours);
		json_int(&json, NULL, list[i].period_days);
		json_end(&json);
	}
	json_end(&json);
}

const struct contact_limits *organization_read_limits(const struct db_rows *rows, size_t r, size_t c,
                                                      struct arena *arena)
{
	struct contact_limits *limits = arena_alloc(arena, sizeof *limits);

	limits->list = read_list(db_get_text(rows, r, c), arena);
	limits->rest_hours = db_get_int(rows, r, c + 1);
	return limits;
}

enum db_result organization_get(struct db *db, int64_t id, struct arena *arena, struct organization *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ORGANIZATION_GET, DB_ARGS(db_int(id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*out = (struct organization){
		.id = id,
		.uuid = db_get_uuid(&rows, 0, 0),
		.name = db_get_text(&rows, 0, 1),
		.created_at_us = db_get_int(&rows, 0, 2),
		.limits = *organization_read_limits(&rows, 0, 3, arena),
		.updated_at_us = db_get_int(&rows, 0, 5),
	};
	return DB_OK;
}

enum db_result organization_lock(struct db *db, int64_t id, struct arena *arena, struct organization *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ORGANIZATION_LOCK, DB_ARGS(db_int(id)), arena, &rows));
	return organization_get(db, id, arena, out);
}

/* The row stays when the last limit goes: it is the lock. */
enum db_result organization_save_limits(struct db *db, const struct organization *organization)
{
	const struct contact_limits *limits = &organization->limits;
	struct db_value rest = db_int(limits->rest_hours), at = db_instant(organization->updated_at_us);
	struct buf text = { 0 };
	struct db_value list;
	enum db_result result;

	write_list(&text, &limits->list);
	list = db_buf(&text);
	result = db_exec(db, SQL_ORGANIZATION_SET_LIMITS,
	                 DB_ARGS(db_int(organization->id), list, rest, at, list, rest, at));
	buf_free(&text);
	return result;
}

enum db_result organization_lock_limits(struct db *db, int64_t id, struct arena *arena, struct contact_limits *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ORGANIZATION_LOCK_LIMITS, DB_ARGS(db_int(id)), arena, &rows));
	*out = rows.count == 0 ? (struct contact_limits){ 0 } : *organization_read_limits(&rows, 0, 0, arena);
	return DB_OK;
}
