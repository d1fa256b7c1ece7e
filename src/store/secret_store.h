/* The secrets of all webhook endpoints, and the operator's keys. */
#ifndef STORE_SECRET_STORE_H
#define STORE_SECRET_STORE_H

#include "base/conf.h"
#include "store/db.h"

/* Loads the keys at the start of a program, and ends the process unless they open the stored secrets and include
 * the key with which this installation seals. DB_LOST: the keys are loaded, but the database is away; ask again
 * later. */
enum db_result secrets_require(const struct conf *conf);

/* For `outdial migrate`: records the id of the key in this file, unless the database has one already. A file without
 * that key ends the process. */
enum db_result secrets_note_key(struct db *db, const char *file);

/* For an organisation that moves here: whether the keys that are loaded open what is sealed in its database, and check
 * the tokens that were made there. */
enum db_result secrets_take_over(struct db *db, bool *can);

struct rekey {
	bool replace_lost; /* whether secrets that no key opens are replaced by new secrets, which no receiver knows yet */
	/* Called for each replaced or unreadable secret, after the transaction, unless it is NULL. */
	void (*on_lost)(const struct uuid *endpoint);
	int64_t sealed, untouched, lost; /* how many */
};

/* Seals all secrets under the first key that are sealed under another key, or not at all, in batches. It can be
 * repeated, and endpoints may be created and changed while it runs. */
enum db_result secrets_rekey(struct db *db, struct rekey *rekey);

#endif
