#include "store/process_store.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "store/columns.h"
#include "store/statements.h"

const char *const process_kind_names[PROCESS_KIND__MAX] = { "api", "scheduler" };

COLUMNS(process_columns, struct process, COLUMN(struct process, id), COLUMN(struct process, kind),
        COLUMN(struct process, host), COLUMN(struct process, pid), COLUMN(struct process, version),
        INSTANT(struct process, started_at), INSTANT(struct process, seen_at), COLUMN(struct process, turn_us));

COLUMNS(next_wakes_columns, struct next_wakes, INSTANT(struct next_wakes, claim), INSTANT(struct next_wakes, calls),
        INSTANT(struct next_wakes, outbox), INSTANT(struct next_wakes, new_events),
        INSTANT(struct next_wakes, background), INSTANT(struct next_wakes, doubtful));

COLUMNS(work_state_columns, struct work_state, COLUMN(struct work_state, schedulers), COLUMN(struct work_state, apis),
        INSTANT(struct work_state, scheduler_seen), INSTANT(struct work_state, oldest_due));

struct process process_new(enum process_kind kind)
{
	static char host[256];

	if (gethostname(host, sizeof host - 1) != 0)
		*host = '\0';
	return (struct process){
		.id = uuid_new(),
		.kind = kind,
		.pid = getpid(),
		.host = host,
		.version = PACKAGE_VERSION,
		.started_at_us = clock_now_us(),
	};
}

enum db_result process_beat(struct db *db, struct process *process)
{
	struct db_value now;

	process->seen_at_us = clock_now_us();
	now = db_instant(process->seen_at_us);
	return db_exec(db, SQL_PROCESS_BEAT,
	               DB_ARGS(db_uuid(&process->id), db_int(process->kind), db_text(process->host), db_int(process->pid),
	                       db_text(process->version), db_instant(process->started_at_us), now, db_int(process->turn_us),
	                       now, db_int(process->turn_us)));
}

enum db_result process_seen(struct db *db, const struct uuid *id, int64_t *seen_at_us)
{
	return db_query_int(db, SQL_PROCESS_SEEN, DB_ARGS(db_uuid(id)), seen_at_us);
}

enum db_result process_end(struct db *db, const struct process *process)
{
	return db_exec(db, SQL_PROCESS_END, DB_ARGS(db_uuid(&process->id)));
}

enum db_result processes_read(struct db *db, struct arena *arena, const struct process **out, size_t *count)
{
	*count = 0;
	return DB_LIST(db, SQL_PROCESSES, DB_ARGS(db_instant(clock_now_us() - US_PER_DAY)), arena, struct process, out,
	               count);
}

enum db_result work_state_read(struct db *db, struct work_state *out)
{
	struct db_value alive = db_instant(clock_now_us() - PROCESS_ALIVE_US);
	struct arena *arena = arena_new();
	enum db_result result = DB_GET(db, SQL_WORK_STATE, DB_ARGS(alive, alive, db_instant(clock_now_us() - US_PER_DAY)),
	                               arena, struct work_state, out);

	arena_free(arena);
	return result;
}

int64_t work_waits_us(const struct work_state *state, int64_t now_us)
{
	return state->oldest_due_us < now_us ? now_us - state->oldest_due_us : 0;
}

enum db_result next_wakes_read(struct db *db, int64_t from_us, struct next_wakes *out)
{
	struct db_value from = db_instant(from_us);
	struct arena *arena = arena_new();
	enum db_result result = DB_GET(db, SQL_NEXT_WAKE, DB_ARGS(from, from, from, from), arena, struct next_wakes, out);

	arena_free(arena);
	return result;
}
