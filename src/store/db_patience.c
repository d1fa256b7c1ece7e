#include "base/clock.h"
#include "store/db_connection.h"

/* How long each kind of program waits. Each time is longer than the inner time, and shorter than the outer time: a
 * lock, a statement, a request, nginx (60 s) and the watchdogs (30 s without a statement that ended). */
static const struct db_waits waits[DB_PATIENCE__MAX] = {
	[DB_FOR_REQUESTS] = { 3, 15, 5, 10 * US_PER_SECOND, 40 * US_PER_SECOND },
	[DB_FOR_WORK] = { 3, 20, 5, 10 * US_PER_SECOND, 120 * US_PER_SECOND },
	[DB_FOR_PROBES] = { 2, 4, 3, 0, 4 * US_PER_SECOND },
	[DB_FOR_PEOPLE] = { 10, 0, 365 * 86400, INT64_MAX / 2, INT64_MAX / 2 },
};

static enum db_patience patience = DB_FOR_WORK;

void db_be_patient(enum db_patience like)
{
	patience = like;
}

enum db_patience db_patience(void)
{
	return patience;
}

const struct db_waits *db_waits(void)
{
	return &waits[patience];
}
