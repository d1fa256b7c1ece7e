/* Telephone numbers as people and programs write them. */
#ifndef DOMAIN_PHONE_TEXT_H
#define DOMAIN_PHONE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define PHONE_SIZE 17 /* of a number in E.164 form, with its NUL */

/* Takes spaces, dots, dashes, brackets, invisible characters and an apostrophe in front out of a number that begins with + or 00, and
 * a (0) that is not dialled from abroad. False: what is left is no number in E.164 form, or it may be another one: a slash
 * may stand before a second extension, and a .0 at the end is of a decimal number. */
bool phone_text_clean(const char *text, size_t len, char out[PHONE_SIZE]);

#endif
