/* The text of an API key: "outdial_" and 256 random bits in base62. */
#ifndef DOMAIN_KEY_H
#define DOMAIN_KEY_H

#define KEY_TEXT 52 /* with the NUL */

void key_text_new(char out[KEY_TEXT]);

#endif
