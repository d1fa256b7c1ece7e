/* outdial-api: answers HTTP requests that nginx passes on by FastCGI. */
#include <stdlib.h>

#include "api/board.h"
#include "api/listener.h"
#include "api/monitor.h"
#include "api/prefork.h"
#include "api/replica.h"
#include "api/route.h"
#include "api/worker.h"
#include "base/log.h"
#include "base/options.h"
#include "base/reload.h"
#include "base/vault.h"
#include "domain/calling_hours.h"
#include "domain/number_zones.h"
#include "store/figures.h"
#include "store/ledger_store.h"
#include "store/outage.h"

/* clang-format off */
static const char usage[] =
	"Usage: outdial-api [-c FILE] [-t]\n"
	"Answers HTTP requests that nginx hands over by FastCGI.\n"
	"\n"
	"  -c FILE     configuration (default: " CONF_FILE ")\n"
	"  -t          check the configuration and the database, and exit\n"
	"  --help      show this text\n"
	"  --version   show the version\n";
/* clang-format on */

static void run_child(const struct conf *conf, int listen_fd, int number)
{
	if (number == prefork_monitor(conf))
		monitor_run(conf, listen_fd, number);
	else if (number == prefork_replica(conf))
		replica_run(conf, listen_fd, number);
	else
		worker_run(conf, listen_fd, number);
}

int main(int argc, char **argv)
{
	static struct conf conf;
	int listen_fd;

	reload_remember(argv);
	conf = conf_load(options_read_only(argc, argv, usage));
	route_check_table();
	number_zones_load(conf.number_zones_file);
	ledger_switch(conf.ledger);
	calling_hours_load(conf.calling_hours_file);
	vault_load(conf.secret_key_file);
	board_prepare();
	outage_share();
	figures_share(FIGURES_API);
	db_be_patient(DB_FOR_PROBES);
	/* If the database is away, the monitor checks later. Only the replies wait for that. */
	if (monitor_check(&conf) == DB_OK && options_ask_for_test())
		log_info("the configuration and the database are good");
	if (options_ask_for_test())
		return EXIT_SUCCESS;
	listen_fd = listener_open(&conf);
	prefork_run(&conf, listen_fd, run_child);
	return EXIT_SUCCESS;
}
