/* outdial-api: answers HTTP requests that nginx hands over by FastCGI. */
#include <stdlib.h>

#include "api/prefork.h"
#include "api/route.h"
#include "api/service.h"
#include "api/worker.h"
#include "base/options.h"
#include "domain/number_zones.h"
#include "store/outage.h"
#include "store/schema.h"
#include "store/secret_store.h"

static const char usage[] =
	"Usage: outdial-api [-c FILE]\n"
	"Answers HTTP requests that nginx hands over by FastCGI.\n"
	"\n"
	"  -c FILE     configuration (default: " CONF_FILE ")\n"
	"  --help      show this text\n"
	"  --version   show the version\n";

int main(int argc, char **argv)
{
	static struct conf conf;
	int listen_fd;

	conf = conf_load(options_read_only(argc, argv, usage));
	route_check_table();
	number_zones_load(conf.number_zones_file);
	schema_require(conf.database_file);
	secrets_require(&conf);
	service_prepare();
	outage_share();
	listen_fd = prefork_listen(&conf);
	prefork_run(&conf, listen_fd, worker_run);
	return EXIT_SUCCESS;
}
