/* Telephone numbers as people and programs write them. */
#ifndef DOMAIN_PHONE_TEXT_H
#define DOMAIN_PHONE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define PHONE_SIZE 17 /* of a number in E.164 form, with its NUL */
#define PHONE_REASON 128

/* How the numbers of a list are read. */
struct phone_reading {
	const char *country; /* of numbers without one (phone_country_check). "" or NULL: such numbers cannot be used */
	bool is_long_enough; /* a completed number needs only a possible length */
};

/* Removes spaces, dots, dashes, brackets, invisible characters, a leading apostrophe and a mark (tel:, p:) from a
 * number that begins with + or 00, and a (0) that is not dialled from abroad. A country completes other numbers, and
 * allows a slash after an area code. Returns false, and *reason says why, if the rest is not a number in E.164 form, or
 * if it may be another number: after a slash there may be a second extension, and a number that ends in .0 was a
 * decimal number. */
bool phone_text_clean(const char *text, size_t len, const struct phone_reading *reading, char out[PHONE_SIZE],
                      char reason[PHONE_REASON]);

#endif
