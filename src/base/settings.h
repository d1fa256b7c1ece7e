/* The files that configure a program: configuration, keys, tables. The process reads each file once, and its
 * children share the texts. The program that SIGHUP executes gets the texts that were tested, so it cannot fail on a
 * file that passed the test. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* Opens the text of a file to be read, and returns NULL with errno like fopen. *mode (unless NULL) becomes the file's.
 * The caller closes. */
FILE *settings_open(const char *path, mode_t *mode);

/* Reads a table: calls take() with every line that is neither empty nor a comment (#). Returns false if the file is not
 * there. Ends the program if it cannot be read, or if take() returns false, with the file, the line and the form that a
 * line should have. */
bool settings_read_table(const char *path, const char *form, bool (*take)(char *line));

/* Creates an empty store of texts and returns its file descriptor, or -1 with errno. The caller closes it. */
int settings_store_new(void);

/* Makes the program that this process executes next use a store of texts. The program adds the files that are
 * missing in it. */
void settings_hand_over(int store);

#endif
