#include "api/monitor.h"

#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "api/board.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "store/db.h"
#include "store/figures.h"
#include "store/outage.h"
#include "store/process_store.h"
#include "store/schema.h"
#include "store/secret_store.h"

#define VERSION_US (5 * US_PER_SECOND)

enum db_result monitor_check(const struct conf *conf)
{
	DB_TRY(schema_require(conf->database_file));
	DB_TRY(secrets_require(conf));
	atomic_store(&board->is_checked, true);
	return DB_OK;
}

/* The version changes when an administrator migrates or restores, so it is not read at every look. */
static enum db_result read_version(struct db *db, int64_t *read_at_us)
{
	int64_t version;

	if (clock_mono_us() < *read_at_us)
		return DB_OK;
	DB_TRY(schema_version(db, &version));
	atomic_store(&board->schema_version, version);
	*read_at_us = clock_mono_us() + (version < SCHEMA_VERSION ? 0 : VERSION_US);
	return DB_OK;
}

static enum db_result read_state(struct db *db)
{
	static int64_t version_at_us; /* monotonic: when to read the version again */
	struct work_state state;
	enum db_result result;

	DB_TRY(read_version(db, &version_at_us));
	if (atomic_load(&board->schema_version) < SCHEMA_VERSION)
		return DB_OK; /* the tables below may not be there */
	result = work_state_read(db, &state);
	if (result != DB_OK) {
		version_at_us = 0;
		return result;
	}
	atomic_store(&board->schedulers, state.schedulers);
	atomic_store(&board->apis, state.apis);
	atomic_store(&board->scheduler_seen_us, state.scheduler_seen_us);
	atomic_store(&board->waits_us, work_waits_us(&state, clock_now_us()));
	atomic_store(&board->clock_offset_ms, clock_offset_ms());
	return DB_OK;
}

/* The newest sign of life on a replica shows how late the replica is. */
static enum db_result give_beat(struct db *db, struct process *self)
{
	int64_t began_us = clock_mono_us();
	enum db_result result = process_beat(db, self);

	board_note_beat(self->seen_at_us, began_us);
	return result;
}

/* The sign of life is a write. So it also shows that a database answers but accepts no writes. */
static enum db_result probe(struct db *db, struct process *self, const struct conf *conf)
{
	enum db_result beat;

	DB_TRY(db_ready(db));
	if (!atomic_load(&board->is_checked))
		DB_TRY(monitor_check(conf));
	beat = give_beat(db, self);
	if (beat == DB_LOST) { /* an idle connection says nothing about the database */
		DB_TRY(db_ready(db));
		beat = give_beat(db, self);
	}
	outage_stop_writes(beat != DB_OK, db_last_error(db));
	atomic_store(&board->writable, beat == DB_OK);
	if (beat == DB_OK)
		figures_flush(db); /* after a failure the next flush writes the counts */
	DB_TRY(read_state(db));
	if (!db_takes_writes(db))
		db_disconnect(db); /* the monitor looks for a host that takes writes */
	return DB_OK;
}

void monitor_run(const struct conf *conf, int listen_fd, int number)
{
	struct db *db = db_new(conf->database_file);
	struct process self = process_new(PROCESS_API);

	(void)listen_fd, (void)number;
	prctl(PR_SET_NAME, "outdial-monitor");
	db_be_patient(DB_FOR_PROBES);
	board->monitor_id = self.id;
	self.pid = getppid(); /* operators know the process id of the master */
	while (!signals_stop_requested()) {
		bool answers = probe(db, &self, conf) == DB_OK;

		if (!answers)
			atomic_store(&board->writable, false);
		atomic_store(&board->probed_at_us, clock_mono_us());
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	figures_flush(db);
	process_end(db, &self);
	db_free(db);
}
