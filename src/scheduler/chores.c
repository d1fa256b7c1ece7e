#include "scheduler/chores.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/ledger_chain.h"
#include "engine/person_erasure.h"
#include "engine/retention.h"
#include "store/conflicts.h"

#define SOON_US (5 * US_PER_MS)
#define LATER_US US_PER_SECOND /* the loop looks earlier anyway */

static enum db_result seal(struct db *db, const struct conf *conf, bool *more)
{
	int found;

	(void)conf;
	return ledger_seal_step(db, clock_now_us(), &found, more);
}

static enum db_result erase(struct db *db, const struct conf *conf, bool *more)
{
	(void)conf;
	return person_erasure_step(db, clock_now_us(), more);
}

static enum db_result tidy(struct db *db, const struct conf *conf, bool *more)
{
	struct retention keep = {
		.webhooks_us = conf->webhook_retention_days * US_PER_DAY,
		.audit_us = conf->audit_retention_days * US_PER_DAY,
	};

	return retention_step(db, clock_now_us(), &keep, more);
}

static enum db_result retire(struct db *db, const struct conf *conf, bool *more)
{
	int64_t keep_us = conf->ledger_retention_days * US_PER_DAY;

	return keep_us == 0 ? DB_OK : ledger_retire_step(db, clock_now_us() - keep_us, more);
}

static const struct {
	const char *name;
	int64_t every_us;
	int64_t rest_us;  /* how much later while nothing happens */
	int64_t again_us; /* after a full batch */
	enum db_result (*run)(struct db *db, const struct conf *conf, bool *more);
} table[] = {
	{ "sealing decisions", US_PER_SECOND, 4 * US_PER_SECOND, SOON_US, seal },
	{ "erasing the data of persons", 5 * US_PER_SECOND, 10 * US_PER_SECOND, SOON_US, erase },
	{ "deleting what has expired", US_PER_MINUTE, 0, LATER_US, tidy },
	{ "deleting old decisions", US_PER_MINUTE, 0, LATER_US, retire },
};
#define CHORES (sizeof table / sizeof *table)

struct chores {
	const struct conf *conf;
	int64_t next_us[CHORES];  /* monotonic */
	bool is_expected[CHORES]; /* something happened since the last run */
};

struct chores *chores_new(const struct conf *conf)
{
	struct chores *chores = calloc(1, sizeof *chores);

	if (chores == NULL)
		fatal("out of memory");
	chores->conf = conf;
	return chores;
}

void chores_free(struct chores *chores)
{
	free(chores);
}

/* A chore that the database refuses waits for its next turn, or a moment if only a lock is missing. The others go on.
 */
static enum db_result run(struct chores *chores, size_t i, struct db *db, int64_t *again_us)
{
	bool more = false;
	enum db_result result = table[i].run(db, chores->conf, &more);
	int64_t now_us = clock_mono_us(), wait_us = conflict_wait_us(db, CONFLICT_CHORE, (int64_t)i, result);

	chores->is_expected[i] = more || wait_us != 0;
	chores->next_us[i] = now_us + (more ? 0 : table[i].every_us);
	if (more && now_us + table[i].again_us < *again_us)
		*again_us = now_us + table[i].again_us;
	if (wait_us != 0)
		chores->next_us[i] = now_us + wait_us;
	if (wait_us != 0 || !db_is_refusal(result))
		return wait_us != 0 ? DB_OK : result;
	log_error("the database refused the scheduler's work: %s: result %d", table[i].name, (int)result);
	return DB_OK;
}

void chores_expect(struct chores *chores)
{
	for (size_t i = 0; i < CHORES; i++)
		chores->is_expected[i] = true;
}

enum db_result chores_run(struct chores *chores, struct db *db, int64_t *again_us)
{
	for (size_t i = 0; i < CHORES; i++)
		if (clock_mono_us() >= chores->next_us[i] + (chores->is_expected[i] ? 0 : table[i].rest_us))
			DB_TRY(run(chores, i, db, again_us));
	return DB_OK;
}
