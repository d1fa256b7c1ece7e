#include "api/replica.h"

#include <sys/prctl.h>
#include <time.h>

#include "api/board.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "store/schema.h"

#define LOOK_US (US_PER_SECOND / 2)
#define AWAY_US (5 * US_PER_SECOND) /* a replica that is away is asked less often */

/* has_us: when this API wrote the latest sign of life that the replica has; 0: the replica has none of them. */
static enum db_result look(struct db *db, int64_t *has_us)
{
	int64_t version, seen_at_us;
	enum db_result result;

	*has_us = 0;
	DB_TRY(db_ready(db));
	DB_TRY(schema_version(db, &version));
	if (version != SCHEMA_VERSION) /* a new schema has not arrived there yet */
		return DB_OK;
	result = process_seen(db, &board->monitor_id, &seen_at_us);
	if (result == DB_NOT_FOUND)
		return DB_OK;
	DB_TRY(result);
	*has_us = board_beat_began(seen_at_us);
	return DB_OK;
}

static void log_change(bool answers)
{
	static bool answered;

	if (answers && !answered)
		log_info("the replica answers reads");
	if (!answers && answered)
		log_warning("the replica is away or more than %d s behind: the database answers all reads",
		            (int)(REPLICA_LAG_MAX_US / US_PER_SECOND));
	answered = answers;
}

void replica_run(const struct conf *conf, int listen_fd, int number)
{
	struct db *db;

	(void)listen_fd, (void)number;
	prctl(PR_SET_NAME, "outdial-replica");
	db_be_patient(DB_FOR_PROBES);
	db = db_new_reader(conf->read_database_file);
	while (!signals_stop_requested()) {
		int64_t has_us, pause_us;
		enum db_result result = look(db, &has_us);

		atomic_store(&board->replica_has_us, has_us);
		log_change(replica_lag_us() >= 0);
		pause_us = result == DB_OK ? LOOK_US : AWAY_US;
		nanosleep(&(struct timespec){ .tv_sec = pause_us / US_PER_SECOND, .tv_nsec = pause_us % US_PER_SECOND * 1000 },
		          NULL);
	}
	db_free(db);
}

int64_t replica_lag_us(void)
{
	int64_t has_us = atomic_load(&board->replica_has_us), lag_us = clock_mono_us() - has_us;

	if (has_us < board->started_at_us + REPLICA_NOT_BEFORE_US || lag_us > REPLICA_LAG_MAX_US)
		return -1;
	return lag_us;
}

void replica_note_write(int64_t organization_id)
{
	atomic_store(&board->written_at_us[organization_id % BOARD_WRITERS], clock_mono_us());
}

void replica_choose(struct request *request, int64_t organization_id)
{
	int64_t written_us = atomic_load(&board->written_at_us[organization_id % BOARD_WRITERS]);

	request->is_apart = true;
	if (request->reader == NULL || request->is_for_writer || replica_lag_us() < 0 ||
	    atomic_load(&board->replica_has_us) <= written_us)
		return;
	request->db = request->reader;
}

bool replica_give_up(struct request *request)
{
	if (request->db == request->writer)
		return false;
	request->db = request->writer;
	request->is_for_writer = true;
	request->faults.count = 0;
	return true;
}
