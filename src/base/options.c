#include "base/options.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static bool test_asked_for;

bool options_ask_for_test(void)
{
	return test_asked_for;
}

const char *options_read(int *argc, char ***argv, const char *usage)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = CONF_FILE;
	int option;

	while ((option = getopt_long(*argc, *argv, "+c:ht", options, NULL)) != -1) {
		switch (option) {
		case 'c': file = optarg; break;
		case 't': test_asked_for = true; break;
		case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
		case 'V': puts("outdial " PACKAGE_VERSION); exit(EXIT_SUCCESS);
		default: fputs(usage, stderr); exit(EXIT_FAILURE);
		}
	}
	*argc -= optind;
	*argv += optind;
	return file;
}

const char *options_read_only(int argc, char **argv, const char *usage)
{
	const char *file = options_read(&argc, &argv, usage);

	if (argc > 0) {
		fputs(usage, stderr);
		exit(EXIT_FAILURE);
	}
	return file;
}
