#include "api/monitor.h"

#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "api/board.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "store/db.h"
#include "store/outage.h"
#include "store/process_store.h"
#include "store/schema.h"
#include "store/secret_store.h"

enum db_result monitor_check(const struct conf *conf)
{
	DB_TRY(schema_require(conf->database_file));
	DB_TRY(secrets_require(conf));
	atomic_store(&board->is_checked, true);
	return DB_OK;
}

/* How far the database's clock, which rules, is ahead of this host's. */
static int64_t clock_offset_ms(void)
{
	struct timespec host;

	clock_gettime(CLOCK_REALTIME, &host);
	return (clock_now_us() - (host.tv_sec * US_PER_SECOND + host.tv_nsec / 1000)) / US_PER_MS;
}

static enum db_result read_state(struct db *db)
{
	struct work_state state;
	int64_t version;

	DB_TRY(schema_version(db, &version));
	atomic_store(&board->schema_version, version);
	if (version != SCHEMA_VERSION)
		return DB_OK; /* the tables below may not be there */
	DB_TRY(work_state_read(db, &state));
	atomic_store(&board->schedulers, state.schedulers);
	atomic_store(&board->apis, state.apis);
	atomic_store(&board->scheduler_seen_us, state.scheduler_seen_us);
	atomic_store(&board->waits_us, work_waits_us(&state, clock_now_us()));
	atomic_store(&board->clock_offset_ms, clock_offset_ms());
	return DB_OK;
}

/* The sign of life is a write too: a database that answers and lets no write through is found out by it. */
static enum db_result probe(struct db *db, const struct process *self, const struct conf *conf)
{
	enum db_result beat;

	DB_TRY(db_ready(db));
	if (!atomic_load(&board->is_checked))
		DB_TRY(monitor_check(conf));
	beat = process_beat(db, self);
	if (beat == DB_LOST) { /* an idle connection tells nothing of the database */
		DB_TRY(db_ready(db));
		beat = process_beat(db, self);
	}
	outage_stop_writes(beat != DB_OK, db_last_error(db));
	atomic_store(&board->writable, beat == DB_OK);
	DB_TRY(read_state(db));
	if (!db_takes_writes(db))
		db_disconnect(db); /* it looks for one that does */
	return DB_OK;
}

void monitor_run(const struct conf *conf, int listen_fd, int number)
{
	struct db *db = db_new(conf->database_file);
	struct process self = process_new(PROCESS_API);

	(void)listen_fd, (void)number;
	prctl(PR_SET_NAME, "outdial-monitor");
	db_be_patient(DB_FOR_PROBES);
	self.pid = getppid(); /* the master is what people know */
	while (!signals_stop_requested()) {
		bool answers = probe(db, &self, conf) == DB_OK;

		if (!answers)
			atomic_store(&board->writable, false);
		atomic_store(&board->probed_at_us, clock_mono_us());
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	process_end(db, &self);
	db_free(db);
}
