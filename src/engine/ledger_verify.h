/* Verifies a chain of the ledger (engine/ledger_chain.h): whether all is as it was sealed. */
#ifndef ENGINE_LEDGER_VERIFY_H
#define ENGINE_LEDGER_VERIFY_H

#include "store/db.h"

/* The result of a verification. */
struct ledger_verdict {
	int64_t blocks, decisions, erased; /* that are as they were sealed */
	int64_t bad_seq;                   /* the first block that is not; 0: all are */
	const char *fault;                 /* what is wrong; NULL: nothing */
};

/* Follows the chain from its first block to its head. `kept`: a head that was noted elsewhere before, which must be in
 * the chain; NULL: none. */
struct ledger_noted {
	int64_t seq;
	const char *hash;
};
enum db_result ledger_verify(struct db *db, int64_t organization_id, const struct ledger_noted *kept,
                             struct ledger_verdict *out);

#endif
