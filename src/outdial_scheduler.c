/* outdial-scheduler: plans campaigns, claims due contacts and sends webhooks. */
#include <malloc.h>
#include <stdlib.h>

#include "base/options.h"
#include "base/reload.h"
#include "base/signals.h"
#include "base/tls.h"
#include "base/vault.h"
#include "domain/number_zones.h"
#include "scheduler/loop.h"
#include "store/figures.h"
#include "store/ledger_store.h"
#include "store/schema.h"
#include "store/secret_store.h"

#define KEPT_BYTES (4 << 20) /* of free memory */

/* clang-format off */
static const char usage[] =
	"Usage: outdial-scheduler [-c FILE] [-t]\n"
	"Plans campaigns, claims contacts that are due and sends webhooks. Any number may run.\n"
	"\n"
	"  -c FILE     configuration (default: " CONF_FILE ")\n"
	"  -t          check the configuration and the database, and exit\n"
	"  --help      show this text\n"
	"  --version   show the version\n";
/* clang-format on */

/* The memory of a batch serves the next batch. Without this, its pages would come from the system each time. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

int main(int argc, char **argv)
{
	static struct conf conf;

	keep_memory();
	reload_remember(argv);
	conf = conf_load(options_read_only(argc, argv, usage));
	tls_require_files(&conf);
	signals_catch();
	number_zones_load(conf.number_zones_file);
	ledger_switch(conf.ledger);
	vault_load(conf.secret_key_file);
	if (options_ask_for_test()) {
		if (schema_require(conf.database_file) == DB_OK)
			secrets_require(&conf);
		return EXIT_SUCCESS;
	}
	figures_share(FIGURES_SCHEDULER);
	scheduler_run(&conf);
	return EXIT_SUCCESS;
}
