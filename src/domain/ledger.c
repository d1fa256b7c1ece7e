#include "domain/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "base/crypto.h"
#include "base/instant.h"

#define AT "{\"at\":\""
#define ERASED "# "

const char *const ledger_decision_names[LEDGER_DECISION__MAX + 1] = {
	"call", "skip", "defer", "replan", "undo", "wait", "outcome", NULL,
};

static void write_hex(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
}

static void hash_text(const void *text, size_t len, char out[LEDGER_HEX])
{
	uint8_t hash[SHA256_SIZE];

	crypto_sha256(text, len, hash);
	write_hex(hash, sizeof hash, out);
	out[LEDGER_HEX - 1] = '\0';
}

void ledger_line_write(struct buf *out, const char *what, size_t what_len, const char *phone_number)
{
	char person[LEDGER_PERSON];
	uint8_t salt[LEDGER_SALT / 2];

	crypto_random(salt, sizeof salt);
	memset(person, ' ', sizeof person);
	write_hex(salt, sizeof salt, person);
	memcpy(person + LEDGER_SALT, phone_number, strlen(phone_number));
	buf_add(out, what, what_len);
	buf_putc(out, '\t');
	buf_add(out, person, sizeof person);
	buf_putc(out, '\n');
}

bool ledger_line_read(const char **at, const char *end, struct ledger_line *out)
{
	const char *line = *at, *tab = line < end ? memchr(line, '\t', (size_t)(end - line)) : NULL;

	if (tab == NULL || end - tab < LEDGER_PERSON + 2 || tab[1 + LEDGER_PERSON] != '\n' ||
	    memchr(line, '\n', (size_t)(tab - line)) != NULL)
		return false;
	*out = (struct ledger_line){ .what = line, .what_len = (size_t)(tab - line), .person = tab + 1 };
	*at = tab + LEDGER_PERSON + 2;
	return true;
}

bool ledger_line_at(const struct ledger_line *line, int64_t *at_us)
{
	char text[32];
	size_t len;
	const char *quote;
	struct when when;

	if (line->what_len < strlen(AT) || memcmp(line->what, AT, strlen(AT)) != 0)
		return false;
	quote = memchr(line->what + strlen(AT), '"', line->what_len - strlen(AT));
	if (quote == NULL || (len = (size_t)(quote - line->what) - strlen(AT)) >= sizeof text)
		return false;
	memcpy(text, line->what + strlen(AT), len);
	text[len] = '\0';
	if (!when_parse(text, &when) || when.is_wall)
		return false;
	*at_us = when.us;
	return true;
}

static bool is_erased(const char *person)
{
	return memcmp(person, ERASED, strlen(ERASED)) == 0;
}

/* Returns the end of the number. */
static size_t person_len(const char *person)
{
	size_t len = LEDGER_PERSON;

	while (len > LEDGER_SALT && person[len - 1] == ' ')
		len--;
	return len;
}

bool ledger_line_number(const struct ledger_line *line, char number[LEDGER_NUMBER])
{
	size_t len = person_len(line->person) - LEDGER_SALT;

	if (is_erased(line->person) || len >= LEDGER_NUMBER)
		return false;
	memcpy(number, line->person + LEDGER_SALT, len);
	number[len] = '\0';
	return true;
}

void ledger_person_hash(const char *person, char out[LEDGER_HEX])
{
	if (!is_erased(person)) {
		hash_text(person, person_len(person), out);
		return;
	}
	memcpy(out, person + strlen(ERASED), LEDGER_HEX - 1);
	out[LEDGER_HEX - 1] = '\0';
}

void ledger_person_erased(const char *person, char out[LEDGER_PERSON])
{
	char hash[LEDGER_HEX];

	ledger_person_hash(person, hash);
	memcpy(out, ERASED, strlen(ERASED));
	memcpy(out + strlen(ERASED), hash, LEDGER_HEX - 1);
}

void ledger_line_digest(const struct ledger_line *line, char out[LEDGER_HEX])
{
	struct crypto_hash *hash = crypto_hash_new();
	uint8_t bytes[SHA256_SIZE];
	char person[LEDGER_HEX];

	ledger_person_hash(line->person, person);
	crypto_hash_add(hash, line->what, line->what_len);
	crypto_hash_add(hash, "\n", 1);
	crypto_hash_add(hash, person, LEDGER_HEX - 1);
	crypto_hash_end(hash, bytes);
	write_hex(bytes, sizeof bytes, out);
	out[LEDGER_HEX - 1] = '\0';
}

bool ledger_body(const char *lines, size_t len, char out[LEDGER_HEX])
{
	const char *at = lines, *end = lines + len;
	struct buf digests = { 0 };
	struct ledger_line line;
	char digest[LEDGER_HEX];

	while (ledger_line_read(&at, end, &line)) {
		ledger_line_digest(&line, digest);
		buf_add(&digests, digest, LEDGER_HEX - 1);
		buf_putc(&digests, '\n');
	}
	hash_text(buf_text(&digests), digests.len, out);
	buf_free(&digests);
	return at == end;
}

void ledger_origin(const struct uuid *organization, char out[LEDGER_HEX])
{
	char id[UUID_TEXT];

	uuid_format(organization, id);
	hash_text(id, strlen(id), out);
}

void ledger_link(const char *prev, int64_t seq, int64_t sealed_at_us, const char *body, char out[LEDGER_HEX])
{
	struct buf text = { 0 };
	char at[32];

	instant_format_iso(sealed_at_us, at);
	buf_printf(&text, "%s\n%" PRId64 "\n%s\n%s", prev, seq, at, body);
	hash_text(text.data, text.len, out);
	buf_free(&text);
}
