/* The chains of the ledger (domain/ledger.h): seals decisions, reads them, erases a person, and deletes old blocks.
 * The row of a chain's head is the lock for additions. */
#ifndef ENGINE_LEDGER_CHAIN_H
#define ENGINE_LEDGER_CHAIN_H

#include "domain/ledger.h"
#include "store/db.h"

struct ledger_head {
	int64_t organization_id, seq; /* seq 0: nothing is sealed yet */
	const char *hash;
	int64_t sealed_at_us, first_seq;
	const char *first_prev;
};

struct ledger_block {
	int64_t seq, sealed_at_us;
	const char *hash;
	struct bytes decisions;
};

/* Seals a batch of decisions of each organisation, each batch in its own transaction. Skips an organisation that
 * another process seals at this moment. *found: how many organisations had decisions to seal. *more: an organisation
 * has more decisions than a batch. Once an hour it logs the head of each chain that grows, so that the head is known
 * outside of the database too. */
enum db_result ledger_seal_step(struct db *db, int64_t now_us, int *found, bool *more);

/* DB_NOT_FOUND: the organisation has no chain yet. */
enum db_result ledger_head_read(struct db *db, int64_t organization_id, struct arena *arena, struct ledger_head *out);

/* Lists the organisations that have a chain, and finds the name of one; "": the organisation was deleted. */
enum db_result ledger_organizations(struct db *db, struct arena *arena, const int64_t **ids, size_t *count);
enum db_result ledger_organization_name(struct db *db, int64_t id, struct arena *arena, const char **name);

/* Reads up to `limit` blocks after the block `after_seq`. */
enum db_result ledger_blocks_read(struct db *db, int64_t organization_id, int64_t after_seq, int limit,
                                  struct arena *arena, const struct ledger_block **blocks, size_t *count);

/* Finds the last block that was sealed before `from_us`, where an export of all later decisions begins; 0: none. */
enum db_result ledger_block_before(struct db *db, int64_t organization_id, int64_t from_us, int64_t *seq);

/* Erases a number from some of the decisions about it: the chain stays whole. Sets *more when further decisions are
 * left. DB_REFUSED: the organisation is in another cell. */
enum db_result ledger_erase_step(struct db *db, int64_t organization_id, const char *phone_number, bool *more);

/* Deletes a batch of the blocks that were sealed before `before_us`, the oldest first. The last block stays. */
enum db_result ledger_retire_step(struct db *db, int64_t before_us, bool *more);

#endif
