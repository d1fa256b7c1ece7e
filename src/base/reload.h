/* SIGHUP: the program begins afresh in the same process, with the configuration and the program that are there now. It tries
 * both first, and stays as it is when they are not good. */
#ifndef BASE_RELOAD_H
#define BASE_RELOAD_H

#include <stdbool.h>

void reload_remember(char **argv); /* of main; not copied */

/* Runs the program with -t. False: it said in the log what is wrong. */
bool reload_is_good(void);

/* Does not return. Open files are closed from the one after `last_fd` on. */
void reload_now(int last_fd) __attribute__((noreturn));

#endif
