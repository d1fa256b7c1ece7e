#include <stdio.h>

#include "base/arguments.h"
#include "cli/cli.h"
#include "store/migrate.h"

void cli_migrate(const struct conf *conf, int argc, char **argv)
{
	const char *folder = SQLDIR;
	const struct argument options[] = { { "sql", &folder } };

	arguments_read(argc, argv, options, 1, 0);
	migrate(conf->database_file, folder, stdout);
}
