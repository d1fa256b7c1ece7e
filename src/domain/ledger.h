/* The ledger: every decision to call a number or not to, in a chain of hashes for each organisation.
 *
 * A decision is one line: what was decided (a JSON object, public), a tab, and the person (personal). The personal part
 * has a fixed length: a random salt and the number, or their hash after the person was erased. Both give the same
 * digest, so an erasure breaks no chain. Lines are sealed in blocks, and each block has the hash of the block before
 * it. All hashes are SHA-256 in lower case hex, over text:
 *
 *	person = sha256(salt number)
 *	digest = sha256(what "\n" person)
 *	body   = sha256(digest "\n" digest "\n" …)
 *	hash   = sha256(prev "\n" seq "\n" sealed_at "\n" body)
 *
 * The prev of the first block is ledger_origin. */
#ifndef DOMAIN_LEDGER_H
#define DOMAIN_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

enum ledger_decision {
	LEDGER_CALL,    /* the number is called */
	LEDGER_SKIP,    /* the number is never called */
	LEDGER_DEFER,   /* the number is not called before a later instant */
	LEDGER_REPLAN,  /* all contacts of a campaign that wait are planned again: concerns no single number */
	LEDGER_UNDO,    /* the call was not made: no request was sent */
	LEDGER_WAIT,    /* no dialer answered: the same call is asked for again later */
	LEDGER_OUTCOME, /* how the call ended */
	LEDGER_DECISION__MAX
};

extern const char *const ledger_decision_names[LEDGER_DECISION__MAX + 1]; /* NULL-terminated */

#define LEDGER_HEX 65    /* a hash as text, with its NUL */
#define LEDGER_SALT 32   /* characters */
#define LEDGER_PERSON 66 /* characters: the salt and the number, or "# " and their hash */
#define LEDGER_NUMBER 17 /* a number, with its NUL */

/* One line of a block, in place. */
struct ledger_line {
	const char *what;
	size_t what_len;
	const char *person; /* LEDGER_PERSON characters */
};

/* Appends a line. `what` begins with the member "at". phone_number "": the decision concerns no single number. */
void ledger_line_write(struct buf *out, const char *what, size_t what_len, const char *phone_number);

/* Reads the line at *at, and moves *at to the next line. Returns false at the end, or if there is no line (*at !=
 * end). */
bool ledger_line_read(const char **at, const char *end, struct ledger_line *out);

/* Reads when it was decided: the member "at", with which every line begins. Returns false if there is none. */
bool ledger_line_at(const struct ledger_line *line, int64_t *at_us);

/* Copies the number. Returns false if the person was erased. */
bool ledger_line_number(const struct ledger_line *line, char number[LEDGER_NUMBER]);

/* Writes the text that replaces a personal part when its person is erased. */
void ledger_person_erased(const char *person, char out[LEDGER_PERSON]);

void ledger_person_hash(const char *person, char out[LEDGER_HEX]);
void ledger_line_digest(const struct ledger_line *line, char out[LEDGER_HEX]);

/* Writes the body of a block. Returns false if the text does not consist of lines. */
bool ledger_body(const char *lines, size_t len, char out[LEDGER_HEX]);

void ledger_origin(const struct uuid *organization, char out[LEDGER_HEX]);
void ledger_link(const char *prev, int64_t seq, int64_t sealed_at_us, const char *body, char out[LEDGER_HEX]);

#endif
