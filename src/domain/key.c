#include "domain/key.h"

#include <string.h>

#include "base/crypto.h"

/* Random bytes from 248 on are dropped: 62 does not divide 256. */
void key_text_new(char out[KEY_TEXT])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char *at = stpcpy(out, "outdial_"), *end = out + KEY_TEXT - 1;
	uint8_t byte;

	while (at < end) {
		crypto_random(&byte, 1);
		if (byte < 248)
			*at++ = digits[byte % 62];
	}
	*at = '\0';
}
