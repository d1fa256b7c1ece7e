#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

static bool continues(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Returns the size in bytes of the character that begins here, or 0 if it is malformed. */
static size_t character_size(const unsigned char *at, size_t len)
{
	uint32_t code;

	if (at[0] < 0x80)
		return at[0] != 0;
	if (at[0] < 0xe0)
		return at[0] >= 0xc2 && len > 1 && continues(at[1]) ? 2 : 0;
	if (len < 3 || !continues(at[1]) || !continues(at[2]))
		return 0;
	code = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
	if (at[0] < 0xf0)
		return code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? 3 : 0;
	if (at[0] > 0xf4 || len < 4 || !continues(at[3]))
		return 0;
	code = (at[0] & 0x07u) << 18 | (at[1] & 0x3fu) << 12 | (at[2] & 0x3fu) << 6 | (at[3] & 0x3fu);
	return code >= 0x10000 && code <= 0x10ffff ? 4 : 0;
}

size_t utf8_character(const char *text, size_t len)
{
	return len == 0 ? 0 : character_size((const unsigned char *)text, len);
}

size_t utf8_control(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;

	if (len == 0)
		return 0;
	if (at[0] < 0x20 || at[0] == 0x7f)
		return 1;
	return at[0] == 0xc2 && len > 1 && at[1] >= 0x80 && at[1] <= 0x9f ? 2 : 0;
}

void utf8_blank_controls(char *text)
{
	size_t len = strlen(text), size;

	for (size_t i = 0; i < len; i += size != 0 ? size : 1) {
		size = utf8_control(text + i, len - i);
		memset(text + i, ' ', size);
	}
}

bool utf8_is_valid(const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + len;

	while (at < end) {
		size_t size = character_size(at, (size_t)(end - at));

		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

void utf8_excerpt(struct buf *out, const char *text, size_t len, size_t max)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t limit = out->len + max;

	for (size_t i = 0; i < len;) {
		size_t size = character_size((const unsigned char *)text + i, len - i);
		const char *from = size != 0 ? text + i : replacement;
		size_t add = size != 0 ? size : sizeof replacement - 1;

		if (out->len + add > limit)
			return;
		buf_add(out, from, add);
		i += size != 0 ? size : 1;
	}
}

size_t utf8_length(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !continues((unsigned char)text[i]);
	return count;
}
