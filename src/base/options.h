/* The options that every program has: -c FILE, -t, --help, --version. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>

/* Returns the configuration file to use. *argc and *argv are moved to the words after the options. --help and --version
 * are answered and end the process; so does an unknown option. */
const char *options_read(int *argc, char ***argv, const char *usage);

/* Returns whether -t was given: the program only makes the checks of its start. For services. */
bool options_ask_for_test(void);

/* Like options_read, for a program without other arguments: a further argument ends the process. */
const char *options_read_only(int argc, char **argv, const char *usage);

#endif
