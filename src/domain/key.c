#include "domain/key.h"

#include <string.h>

#include "base/crypto.h"

/* Random bytes from 248 on are dropped, because 62 does not divide 256. */
void key_text_new(const char *cell, char out[KEY_TEXT])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char *at = stpcpy(stpcpy(stpcpy(out, "outdial_"), cell), *cell != '\0' ? "_" : ""), *end = at + KEY_DIGITS;
	uint8_t byte;

	while (at < end) {
		crypto_random(&byte, 1);
		if (byte < 248)
			*at++ = digits[byte % 62];
	}
	*at = '\0';
}
