/* What every program takes on its command line: -c FILE, -t, --help, --version. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>

/* The configuration file to use. *argc and *argv are left at what follows the options. --help and
 * --version are answered and end the process, as does an unknown option. */
const char *options_read(int *argc, char ***argv, const char *usage);

/* -t: the program is to make the checks of its start, and to end. For programs that run. */
bool options_ask_for_test(void);

/* The same for a program that takes nothing else: anything that follows ends the process, too. */
const char *options_read_only(int argc, char **argv, const char *usage);

#endif
