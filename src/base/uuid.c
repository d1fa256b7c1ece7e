#include "base/uuid.h"

#include <string.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/crypto.h"

/* 48 bits of milliseconds and a 12-bit counter within the millisecond come before the random part. When the counter
 * overflows, the next millisecond is used. */
struct uuid uuid_new(void)
{
	static uint64_t last; /* milliseconds << 12 | counter */
	uint64_t now = (uint64_t)(clock_now_us() / US_PER_MS) << 12;
	struct uuid id;

	last = now > last ? now : last + 1;
	crypto_random(id.b, sizeof id.b);
	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(last >> (52 - 8 * i));
	id.b[6] = (uint8_t)(0x70 | ((last >> 8) & 0x0f));
	id.b[7] = (uint8_t)last;
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

/* The prefix of a known type that the text begins with, or "". */
static const char *own_prefix(const char *text)
{
	static const char *const known[] = {
		ID_AGENT, ID_NUMBER, ID_CONTACT, ID_FOLDER, ID_BATCH, ID_CALL, ID_WEBHOOK, ID_KEY,
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strncmp(text, known[i], strlen(known[i])) == 0)
			return known[i];
	return "";
}

bool uuid_parse_id(const char *text, const char *prefix, struct uuid *out)
{
	size_t len;

	if (strcmp(prefix, ID_ANY) == 0)
		prefix = own_prefix(text);
	len = strlen(prefix);
	return uuid_parse(strncmp(text, prefix, len) == 0 ? text + len : text, out->b) == 0;
}

void uuid_format(const struct uuid *id, char out[UUID_TEXT])
{
	uuid_unparse_lower(id->b, out);
}

void uuid_format_hex(const struct uuid *id, char out[UUID_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		out[2 * i] = digits[id->b[i] >> 4];
		out[2 * i + 1] = digits[id->b[i] & 15];
	}
	out[32] = '\0';
}

bool uuid_is_nil(const struct uuid *id)
{
	return uuid_is_null(id->b) != 0;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

int uuid_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

struct uuid uuid_first_at(int64_t us)
{
	uint64_t ms = us < 0 ? 0 : (uint64_t)(us / US_PER_MS);
	struct uuid id = { { 0 } };

	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

int64_t uuid_made_at(const struct uuid *id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms * US_PER_MS;
}
