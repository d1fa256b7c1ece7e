/* The arguments of one command. */
#ifndef BASE_ARGUMENTS_H
#define BASE_ARGUMENTS_H

#include <stddef.h>

/* --NAME VALUE or --NAME=VALUE; *value keeps what it was when the option is not there. */
struct argument {
	const char *name;
	const char **value;
};

/* Reads the options; a wrong one ends the process. Returns the words that follow them, of which there
 * must be `words`. */
char **arguments_read(int argc, char **argv, const struct argument *options, size_t count, int words);

#endif
