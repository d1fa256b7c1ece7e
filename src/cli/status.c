#include "store/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/arguments.h"
#include "cli/cli.h"
#include "store/schema.h"

static void print_row(const char *name, int64_t value)
{
	printf("%-28s %12" PRId64 "\n", name, value);
}

/* How far the database's clock, which rules, is ahead of this host's. */
static int64_t clock_offset_ms(void)
{
	struct timespec host;

	clock_gettime(CLOCK_REALTIME, &host);
	return (clock_now_us() - (host.tv_sec * US_PER_SECOND + host.tv_nsec / 1000)) / US_PER_MS;
}

void cli_status(const struct conf *conf, int argc, char **argv)
{
	struct db *db = db_new(conf->database_file);
	struct status status;
	int64_t version;

	arguments_read(argc, argv, NULL, 0, 0);
	if (db_ready(db) != DB_OK)
		fatal("cannot connect to the database: %s", db_last_error(db));
	if (schema_version(db, &version) != DB_OK)
		fatal("cannot read the schema version: %s", db_last_error(db));
	print_row("schema version", version);
	if (version != SCHEMA_VERSION)
		fatal("this program works with schema version %d: see `outdial migrate`",
		      SCHEMA_VERSION);
	if (status_read(db, &status) != DB_OK)
		fatal("cannot read the state: %s", db_last_error(db));
	for (int i = 0; i < BATCH_STATUS__MAX; i++) {
		char name[32];

		snprintf(name, sizeof name, "campaigns %s", batch_status_names[i]);
		print_row(name, status.campaigns[i]);
	}
	print_row("calls in flight", status.calls_in_flight);
	print_row("webhooks waiting", status.deliveries_waiting);
	print_row("schedulers", status.work.schedulers);
	print_row("API masters", status.work.apis);
	print_row("work waits, s", work_waits_us(&status.work, clock_now_us()) / US_PER_SECOND);
	print_row("database clock ahead, ms", clock_offset_ms());
	db_free(db);
}
