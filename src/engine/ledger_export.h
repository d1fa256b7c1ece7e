/* The ledger with its proof: a line of JSON for each block, from which anybody can verify the chain without this
 * database. Decisions that were not selected are in it as digests only, which reveal nothing. docs/api.md describes
 * the lines. */
#ifndef ENGINE_LEDGER_EXPORT_H
#define ENGINE_LEDGER_EXPORT_H

#include "engine/ledger_chain.h"

struct ledger_export {
	int64_t organization_id;
	const char *phone_number; /* "": of all numbers */
	int64_t from_us, to_us;   /* decided in this time */
	/* The position of an export. */
	int64_t seq, until_seq; /* blocks up to `seq` are written; the last block of the export */
	char prev[LEDGER_HEX];
};

/* Begins at the first block that may have a selected decision, and ends at the present head of the chain.
 * DB_NOT_FOUND: the organisation has no chain yet. */
enum db_result ledger_export_begin(struct db *db, struct ledger_export *export);

/* Appends the next lines; nothing at the end. */
enum db_result ledger_export_next(struct db *db, struct ledger_export *export, struct buf *out);

#endif
