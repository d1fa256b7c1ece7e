/* SIGHUP: the process starts again with the present configuration and the present program file. It tries both first,
 * and goes on as before if they are not good. */
#ifndef BASE_RELOAD_H
#define BASE_RELOAD_H

#include <stdbool.h>

void reload_remember(char **argv); /* of main; not copied */

/* Runs the program with -t, and keeps the settings that this test read. Returns false when the log says what is wrong.
 */
bool reload_is_good(void);

/* Executes the program with the settings that passed the test; does not return. Open files are closed from the one
 * after `last_fd` on. */
void reload_now(int last_fd) __attribute__((noreturn));

#endif
