/* The text of an API key: "outdial_", the name of the cell that made it and "_" (if cells have names), and 256 random
 * bits in base62. A proxy in front of several cells chooses the cell by this beginning. */
#ifndef DOMAIN_KEY_H
#define DOMAIN_KEY_H

#define KEY_DIGITS 43
#define KEY_TEXT (8 + 17 + KEY_DIGITS + 1) /* with the NUL */

void key_text_new(const char *cell, char out[KEY_TEXT]);

#endif
