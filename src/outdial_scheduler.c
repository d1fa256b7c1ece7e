/* outdial-scheduler: plans campaigns, claims due contacts and sends webhooks. */
#include <stdlib.h>

#include "base/options.h"
#include "base/signals.h"
#include "base/tls.h"
#include "domain/number_zones.h"
#include "scheduler/loop.h"
#include "store/schema.h"
#include "store/secret_store.h"

static const char usage[] =
	"Usage: outdial-scheduler [-c FILE]\n"
	"Plans campaigns, claims contacts that are due and sends webhooks. Any number may run.\n"
	"\n"
	"  -c FILE     configuration (default: " CONF_FILE ")\n"
	"  --help      show this text\n"
	"  --version   show the version\n";

int main(int argc, char **argv)
{
	static struct conf conf;

	conf = conf_load(options_read_only(argc, argv, usage));

	tls_require_files(&conf);
	signals_catch();
	number_zones_load(conf.number_zones_file);
	schema_require(conf.database_file);
	secrets_require(&conf);
	scheduler_run(&conf);
	return EXIT_SUCCESS;
}
