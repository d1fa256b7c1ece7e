/* What every program takes on its command line: -c FILE, --help, --version. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

/* The configuration file to use. *argc and *argv are left at what follows the options. --help and
 * --version are answered and end the process, as does an unknown option. */
const char *options_read(int *argc, char ***argv, const char *usage);

/* The same for a program that takes nothing else: anything that follows ends the process, too. */
const char *options_read_only(int argc, char **argv, const char *usage);

#endif
