/* outdial-scheduler: plans campaigns, claims due contacts and sends webhooks. */
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

int main(int argc, char **argv)
{
	static struct conf conf;

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
