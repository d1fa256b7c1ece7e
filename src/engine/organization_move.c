#include "engine/organization_move.h"

#include <stdio.h>
#include <string.h>

#include "store/audit_store.h"
#include "store/columns.h"
#include "store/organization_store.h"
#include "store/statements.h"

enum db_result organization_at(struct db *db, const struct uuid *uuid, const char *name, struct arena *arena,
                               struct organization_place_of *out)
{
	return DB_GET(db, SQL_ORGANIZATION_AT, DB_ARGS(db_uuid(uuid), db_text(name), db_uuid(uuid)), arena,
	              struct organization_place_of, out);
}

enum db_result organization_unrest(struct db *db, int64_t id, struct arena *arena, const char ***list, size_t *count)
{
	struct db_value organization = db_int(id);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ORGANIZATION_UNREST, DB_ARGS(organization, organization, organization, organization), arena,
	                &rows));
	*list = arena_alloc(arena, (rows.count + 1) * sizeof **list);
	for (size_t r = 0; r < rows.count; r++)
		(*list)[r] = db_get_text(&rows, r, 0);
	*count = rows.count;
	return DB_OK;
}

static enum db_result set_place(struct db *db, int64_t id, enum organization_place place, const char *cell)
{
	return db_exec(db, SQL_ORGANIZATION_SET_PLACE, DB_ARGS(db_int(place), db_text(cell), db_int(id)));
}

struct closing {
	int64_t id;
	const char *cell;
};

/* Events that wait for webhooks stay, as at endpoints that are switched off. */
static enum db_result close_here(struct db *db, void *context)
{
	const struct closing *closing = context;
	int64_t place;

	DB_TRY(organization_lock_place(db, closing->id, &place));
	if (place != ORGANIZATION_HERE)
		return DB_REFUSED;
	DB_TRY(db_exec(db, SQL_ORGANIZATION_HOLD_WEBHOOKS, DB_ARGS(db_int(closing->id))));
	return set_place(db, closing->id, ORGANIZATION_LEAVING, closing->cell);
}

enum db_result organization_close(struct db *db, int64_t id, const char *cell)
{
	return db_transact(db, DB_REPEATABLE, close_here, &(struct closing){ id, cell });
}

enum db_result organization_unsealed(struct db *db, int64_t id, int64_t *count)
{
	return db_query_int(db, SQL_ORGANIZATION_UNSEALED, DB_ARGS(db_int(id)), count);
}

/* What a move has in the new cell before it opens the copy, or after it was undone. */
static bool is_not_open(const struct organization_place_of *there, const char *from_cell)
{
	return there->place == ORGANIZATION_ARRIVING || there->place == ORGANIZATION_DROPPED ||
	       (there->place == ORGANIZATION_ELSEWHERE && strcmp(there->cell, from_cell) == 0);
}

bool organization_was_opened(const struct organization_place_of *there, const char *from_cell)
{
	return there->id != 0 && !is_not_open(there, from_cell);
}

static enum db_result lock_there(struct db *db, int64_t id, const char *from_cell, int *place, bool *is_closed)
{
	struct organization_place_of there;
	struct arena *arena = arena_new();
	int64_t locked;
	enum db_result result = organization_lock_place(db, id, &locked);

	if (result == DB_OK)
		result = organization_place(db, id, arena, &there);
	if (result == DB_OK) {
		*place = there.place;
		*is_closed = is_not_open(&there, from_cell);
	}
	arena_free(arena);
	return result;
}

struct resignation {
	int64_t id;
	const char *from_cell;
	bool from_stay;
};

static enum db_result give_up(struct db *db, void *context)
{
	const struct resignation *resignation = context;
	bool is_closed;
	int place;

	DB_TRY(lock_there(db, resignation->id, resignation->from_cell, &place, &is_closed));
	if (!is_closed && !(resignation->from_stay && place == ORGANIZATION_ELSEWHERE))
		return DB_REFUSED;
	return set_place(db, resignation->id, ORGANIZATION_DROPPED, resignation->from_cell);
}

enum db_result organization_give_up(struct db *db, int64_t id, const char *from_cell, bool from_stay)
{
	return db_transact(db, DB_REPEATABLE, give_up, &(struct resignation){ id, from_cell, from_stay });
}

static enum db_result leave_address(struct db *db, void *context)
{
	const struct resignation *resignation = context;
	int64_t place;

	DB_TRY(organization_lock_place(db, resignation->id, &place));
	if (place != ORGANIZATION_DROPPED)
		return DB_REFUSED;
	return set_place(db, resignation->id, ORGANIZATION_ELSEWHERE, resignation->from_cell);
}

enum db_result organization_leave_address(struct db *db, int64_t id, const char *from_cell)
{
	return db_transact(db, DB_REPEATABLE, leave_address, &(struct resignation){ id, from_cell, false });
}

/* Sends webhooks again, and accepts requests again. */
static enum db_result open_here(struct db *db, int64_t id, int64_t now_us)
{
	DB_TRY(db_exec(db, SQL_ORGANIZATION_FREE_WEBHOOKS, DB_ARGS(db_int(id))));
	DB_TRY(db_exec(db, SQL_ORGANIZATION_WAKE_WEBHOOKS, DB_ARGS(db_instant(now_us), db_int(id))));
	return set_place(db, id, ORGANIZATION_HERE, "");
}

static enum db_result note(struct db *db, int64_t id, const struct uuid *uuid, int64_t now_us, const char *what,
                           const char *cell)
{
	char changes[64];
	const struct audit_entry entry = {
		.organization_id = id,
		.object = AUDIT_ORGANIZATION,
		.action = AUDIT_MOVED,
		.object_id = *uuid,
		.from_status = -1,
		.to_status = -1,
		.happened_at_us = now_us,
		.reason = "",
		.changes = changes,
	};

	snprintf(changes, sizeof changes, "{\"%s\":\"%s\"}", what, cell);
	return audit_write(db, &entry);
}

/* Each cell has its own clock. */
static enum db_result open_copy(struct db *db, void *context)
{
	const struct organization_handing *handing = context;
	bool is_closed;
	int64_t now_us;
	int place;

	DB_TRY(lock_there(db, handing->new_id, handing->from_cell, &place, &is_closed));
	if (place != ORGANIZATION_ARRIVING) /* an earlier run has opened it, or the move was undone */
		return is_closed ? DB_REFUSED : DB_OK;
	DB_TRY(db_ask_clock(db, &now_us));
	DB_TRY(open_here(db, handing->new_id, now_us));
	return note(db, handing->new_id, &handing->uuid, now_us, "from_cell", handing->from_cell);
}

/* DB_REFUSED: the organisation is not leaving. */
static enum db_result lock_leaving(struct db *db, int64_t id, int64_t *now_us)
{
	int64_t place;

	DB_TRY(organization_lock_place(db, id, &place));
	return place == ORGANIZATION_LEAVING ? db_ask_clock(db, now_us) : DB_REFUSED;
}

/* While this row is locked, the move cannot be undone between the two changes. */
static enum db_result hand_over(struct db *db, void *context)
{
	const struct organization_handing *handing = context;
	int64_t now_us;

	DB_TRY(lock_leaving(db, handing->id, &now_us));
	DB_TRY(db_transact(handing->to, DB_REPEATABLE, open_copy, context));
	DB_TRY(set_place(db, handing->id, ORGANIZATION_ELSEWHERE, handing->to_cell));
	return note(db, handing->id, &handing->uuid, now_us, "to_cell", handing->to_cell);
}

enum db_result organization_hand_over(const struct organization_handing *handing)
{
	return db_transact(handing->from, DB_ONCE, hand_over, (void *)handing);
}

/* Another process may be about to open the copy, and its lock here may be lost. */
static enum db_result give_up_there(const struct organization_handing *handing)
{
	struct organization_place_of there;
	struct arena *arena = arena_new();
	enum db_result result = organization_at(handing->to, &handing->uuid, "", arena, &there);

	if (result == DB_OK)
		result = organization_give_up(handing->to, there.id, handing->from_cell, false);
	arena_free(arena);
	return result == DB_NOT_FOUND ? DB_OK : result;
}

static enum db_result take_back(struct db *db, void *context)
{
	const struct organization_handing *handing = context;
	int64_t now_us;

	DB_TRY(lock_leaving(db, handing->id, &now_us));
	DB_TRY(give_up_there(handing));
	DB_TRY(open_here(db, handing->id, now_us));
	return note(db, handing->id, &handing->uuid, now_us, "not_to_cell", handing->to_cell);
}

enum db_result organization_take_back(const struct organization_handing *handing)
{
	return db_transact(handing->from, DB_ONCE, take_back, (void *)handing);
}
