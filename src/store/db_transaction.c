#include "store/db_connection.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/figures.h"
#include "store/outage.h"

#define MAX_RUNS 12
#define FEW_RUNS 4
#define OUTAGE_BRIDGED_US \
	(2 * US_PER_SECOND) /* in a shorter outage the transaction is tried again, without a line in the log */

static void write_notes(struct db *db)
{
	for (size_t at = 0; at < db->notes_len; at += strlen(db->notes + at) + 1)
		log_info("%s", db->notes + at);
	db->notes_len = 0;
}

static void keep_counts(struct db *db)
{
	for (int i = 0; i < db->counts.len; i++)
		figures_count((enum figure)db->counts.list[i].figure, 0, db->counts.list[i].slot, db->counts.list[i].count);
	db->counts.len = 0;
}

static enum db_result run_connected(struct db *db, db_work *work, void *context)
{
	enum db_result result;

	DB_TRY(db_run_text(db, "START TRANSACTION"));
	result = work(db, context);
	if (db->mysql == NULL)
		return DB_LOST;
	if (result != DB_OK) {
		if (mysql_rollback(db->mysql))
			db_disconnect(db); /* the server rolls back the transaction of a lost connection */
		return result;
	}
	if (!db_is_in_transaction(db)) /* nothing is left to commit */
		return DB_CONFLICT;
	db->used_at_us = clock_mono_us();
	if (!db_wait_commit(db)) {
		result = db_classify(db, "COMMIT", mysql_errno(db->mysql), mysql_error(db->mysql));
		return result == DB_LOST ? DB_UNKNOWN : result;
	}
	return DB_OK;
}

static enum db_result run_once(struct db *db, db_work *work, void *context)
{
	enum db_result result;

	if (db->mysql != NULL && !db->is_writer)
		db_disconnect(db); /* to look for a host that takes writes */
	DB_TRY(db_ready(db));
	db->in_transaction = true;
	db->waited_for_lock = false; /* a conflict that the work finds itself is no wait */
	db->give_up_at_us = clock_mono_us() + db_waits()->give_up_us;
	db->notes_len = 0;
	db->counts.len = 0;
	result = run_connected(db, work, context);
	db->in_transaction = false;
	if (result == DB_OK) {
		write_notes(db);
		keep_counts(db);
	}
	return result;
}

static void back_off(int run)
{
	int64_t limit_us = (US_PER_MS << (run < 8 ? run : 8)), wait_us;
	uint32_t random_bits; /* not random(): forked workers would get the same numbers */

	crypto_random(&random_bits, sizeof random_bits);
	wait_us = limit_us / 2 + random_bits % limit_us;

	nanosleep(&(struct timespec){ .tv_sec = wait_us / US_PER_SECOND, .tv_nsec = wait_us % US_PER_SECOND * 1000 }, NULL);
}

static enum db_result run_often(struct db *db, enum db_again again, int max_runs, db_work *work, void *context)
{
	enum db_result result = DB_LOST;
	bool unknown = false;
	int64_t began_us = clock_mono_us();

	assert(!db->in_transaction); /* a second START TRANSACTION would commit the first */
	if (outage_stops_writes())
		return DB_LOST;
	for (int run = 0; run < max_runs; run++) {
		result = run_once(db, work, context);
		unknown |= result == DB_UNKNOWN;
		if (result != DB_CONFLICT && result != DB_LOST && !(result == DB_UNKNOWN && again == DB_REPEATABLE))
			break;
		if (result == DB_CONFLICT && db->waited_for_lock && max_runs == FEW_RUNS)
			break;
		if (clock_mono_us() - began_us > db_waits()->again_us || outage_lasts_us() > OUTAGE_BRIDGED_US)
			break;
		back_off(run);
	}
	figures_observe_transaction(clock_mono_us() - began_us);
	return unknown && result == DB_LOST ? DB_UNKNOWN : result; /* an earlier run may have been kept */
}

enum db_result db_transact(struct db *db, enum db_again again, db_work *work, void *context)
{
	return run_often(db, again, MAX_RUNS, work, context);
}

enum db_result db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context)
{
	return run_often(db, again, FEW_RUNS, work, context);
}

bool db_waited_for_lock(const struct db *db)
{
	return db->waited_for_lock;
}

bool db_is_refusal(enum db_result result)
{
	return result != DB_OK && result != DB_LOST && result != DB_UNKNOWN;
}

enum db_result db_rehearse(struct db *db, db_work *work, void *context)
{
	struct db_counts counts = db->counts;
	size_t notes_len = db->notes_len;

	assert(db->in_transaction);
	DB_TRY(db_run_text(db, "SAVEPOINT rehearsal"));
	DB_TRY(work(db, context));
	db->notes_len = notes_len;
	db->counts = counts;
	return db_run_text(db, "ROLLBACK TO SAVEPOINT rehearsal");
}

void db_note(struct db *db, const char *format, ...)
{
	size_t room = sizeof db->notes - db->notes_len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(db->notes + db->notes_len, room, format, args);
	va_end(args);
	if (len > 0 && (size_t)len + 1 < room)
		db->notes_len += (size_t)len + 1;
	if (!db->in_transaction)
		write_notes(db);
}

void db_count(struct db *db, int figure, int slot, int64_t count)
{
	int i = 0;

	while (i < db->counts.len && (db->counts.list[i].figure != figure || db->counts.list[i].slot != slot))
		i++;
	if (i == db->counts.len) {
		assert(i < DB_COUNTS_MAX);
		db->counts.list[db->counts.len++].count = 0;
	}
	db->counts.list[i].figure = figure;
	db->counts.list[i].slot = slot;
	db->counts.list[i].count += count;
	if (!db->in_transaction)
		keep_counts(db);
}

enum db_result db_guard(struct db *db, enum db_guard guard, int64_t id)
{
	if (!db->locks_are_local || !db->in_transaction) /* a lock outside of a transaction guards nothing */
		return DB_OK;
	if (guard == GUARD_CAMPAIGN) /* claims and reports write this row */
		return db_exec(db, SQL_GUARD_CAMPAIGN, DB_ARGS(db_int(id)));
	return db_exec(db, SQL_GUARD, DB_ARGS(db_int(guard), db_int(id)));
}
