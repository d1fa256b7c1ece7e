/* The secrets of all webhook endpoints, as far as the operator's keys are concerned. */
#ifndef STORE_SECRET_STORE_H
#define STORE_SECRET_STORE_H

#include "base/conf.h"
#include "store/db.h"

/* For the start of a program: loads the keys, and ends the process unless they open what is stored and have the one that
 * this installation seals under. DB_LOST: the database is away, and is to be asked later; the keys are loaded. */
enum db_result secrets_require(const struct conf *conf);

/* For `outdial migrate`: the database remembers the id of the key in this file, unless it knows one. A file without that
 * key ends the process. */
enum db_result secrets_note_key(struct db *db, const char *file);

struct rekey {
	bool replace_lost; /* those that no key opens get a new secret, which nobody knows */
	/* Called for each of them, after the transaction; NULL: for none. */
	void (*tell_lost)(const struct uuid *endpoint);
	int64_t sealed, untouched, lost; /* how many */
};

/* Seals under the first of the keys what is sealed under another or not at all, in portions; repeating it is
 * harmless. While it runs endpoints may be made and changed. */
enum db_result secrets_rekey(struct db *db, struct rekey *rekey);

#endif
