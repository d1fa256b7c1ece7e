/* The arguments of one command. */
#ifndef BASE_ARGUMENTS_H
#define BASE_ARGUMENTS_H

#include <stddef.h>

/* An option --NAME VALUE or --NAME=VALUE. Without the option, *value stays as it is. */
struct argument {
	const char *name;
	const char **value;
};

/* Reads the options. A wrong option ends the process. Returns the words after the options; their number must be
 * `words`. */
char **arguments_read(int argc, char **argv, const struct argument *options, size_t count, int words);

#endif
