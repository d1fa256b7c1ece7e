#include "base/arguments.h"

#include <assert.h>
#include <getopt.h>

#include "base/log.h"

#define OPTIONS_MAX 12

char **arguments_read(int argc, char **argv, const struct argument *options, size_t count, int words)
{
	struct option table[OPTIONS_MAX + 1] = { { NULL, 0, NULL, 0 } };
	int at;

	assert(count <= OPTIONS_MAX);
	for (size_t i = 0; i < count; i++)
		table[i] = (struct option){ options[i].name, required_argument, NULL, (int)i };
	optind = 0; /* getopt reads a new list from its start */
	opterr = 0;
	while ((at = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (at == ':')
			fatal("%s: this option needs a value: see --help", argv[optind - 1]);
		if (at == '?')
			fatal("%s: unknown option: see --help", argv[optind - 1]);
		*options[at].value = optarg;
	}
	if (argc - optind != words)
		fatal("%s: too %s arguments: see --help", argv[0], argc - optind < words ? "few" : "many");
	return argv + optind;
}
