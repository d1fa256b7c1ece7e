#include <stdio.h>

#include "cli/arguments.h"
#include "cli/cli.h"
#include "store/schema.h"

void cli_check_config(const struct conf *conf, int argc, char **argv)
{
	arguments_read(argc, argv, NULL, 0, 0);
	conf_print(conf);
	fflush(stdout); /* before the reason why it may end here */
	schema_require(conf->database_file);
	printf("# The database answers, has schema version %d and locks rows as it should.\n",
	       SCHEMA_VERSION);
}
