#include "engine/ledger_verify.h"

#include <stdio.h>
#include <string.h>

#include "engine/ledger_chain.h"
#include "store/statements.h"

#define BLOCKS_AT_ONCE 20

/* A verification as it goes along the chain. */
struct walk {
	struct ledger_head head;
	const struct ledger_noted *kept;
	char prev[LEDGER_HEX];
	int64_t seq; /* of the block that was verified last */
	bool met_kept;
	struct ledger_verdict *verdict;
};

static void find_fault(struct walk *walk, int64_t seq, const char *fault)
{
	walk->verdict->bad_seq = seq;
	walk->verdict->fault = fault;
}

static void count_decisions(struct ledger_verdict *verdict, const struct ledger_block *block)
{
	const char *at = block->decisions.data, *end = at + block->decisions.len;
	struct ledger_line line;
	char number[LEDGER_NUMBER];

	for (; ledger_line_read(&at, end, &line); verdict->decisions++)
		verdict->erased += !ledger_line_number(&line, number);
	verdict->blocks++;
}

static void verify_block(struct walk *walk, const struct ledger_block *block)
{
	char body[LEDGER_HEX], hash[LEDGER_HEX];

	if (block->seq != walk->seq + 1) {
		find_fault(walk, walk->seq + 1, "is missing");
		return;
	}
	if (!ledger_body(block->decisions.data, block->decisions.len, body)) {
		find_fault(walk, block->seq, "is not made of decisions");
		return;
	}
	ledger_link(walk->prev, block->seq, block->sealed_at_us, body, hash);
	if (strcmp(hash, block->hash) != 0) {
		find_fault(walk, block->seq, "is not as it was sealed, or not what follows the block before it");
		return;
	}
	if (walk->kept != NULL && walk->kept->seq == block->seq) {
		walk->met_kept = true;
		if (strcmp(walk->kept->hash, hash) != 0)
			find_fault(walk, block->seq, "has another hash than was noted");
	}
	strcpy(walk->prev, hash);
	walk->seq = block->seq;
	count_decisions(walk->verdict, block);
}

static enum db_result walk_on(struct db *db, struct walk *walk, struct arena *arena, bool *ends)
{
	const struct ledger_block *blocks;
	size_t count;

	DB_TRY(ledger_blocks_read(db, walk->head.organization_id, walk->seq, BLOCKS_AT_ONCE, arena, &blocks, &count));
	for (size_t i = 0; i < count && walk->verdict->fault == NULL && walk->seq < walk->head.seq; i++)
		verify_block(walk, &blocks[i]);
	*ends = count == 0 || walk->verdict->fault != NULL || walk->seq >= walk->head.seq;
	return DB_OK;
}

/* Checks, after the last block, the head and the index by numbers. */
static enum db_result verify_end(struct db *db, struct walk *walk)
{
	int64_t indexed;

	if (walk->seq < walk->head.seq)
		find_fault(walk, walk->seq + 1, "is missing at the end");
	else if (strcmp(walk->prev, walk->head.hash) != 0)
		find_fault(walk, walk->head.seq, "is not the block that the head names");
	else if (walk->kept != NULL && !walk->met_kept)
		find_fault(walk, walk->kept->seq, "was noted, and is not there");
	if (walk->verdict->fault != NULL)
		return DB_OK;
	DB_TRY(db_query_int(db, SQL_LEDGER_COUNT_NUMBERS,
	                    DB_ARGS(db_int(walk->head.organization_id), db_int(walk->head.first_seq),
	                            db_int(walk->head.seq)),
	                    &indexed));
	if (indexed != walk->verdict->decisions - walk->verdict->erased)
		find_fault(walk, walk->head.seq, "and those before it are not as the index by numbers has them");
	return DB_OK;
}

static enum db_result walk_chain(struct db *db, struct walk *walk)
{
	enum db_result result = DB_OK;
	bool ends = walk->head.seq == 0;

	while (result == DB_OK && !ends) {
		struct arena *arena = arena_new();

		result = walk_on(db, walk, arena, &ends);
		arena_free(arena);
	}
	return result == DB_OK && walk->verdict->fault == NULL ? verify_end(db, walk) : result;
}

enum db_result ledger_verify(struct db *db, int64_t organization_id, const struct ledger_noted *kept,
                             struct ledger_verdict *out)
{
	struct walk walk = { .kept = kept, .verdict = out };
	struct arena *arena = arena_new();
	enum db_result result = ledger_head_read(db, organization_id, arena, &walk.head);

	*out = (struct ledger_verdict){ 0 };
	if (result == DB_OK) {
		walk.seq = walk.head.first_seq - 1;
		snprintf(walk.prev, sizeof walk.prev, "%s", walk.head.first_prev);
		walk.met_kept = kept != NULL && kept->seq < walk.head.first_seq;
		result = walk_chain(db, &walk);
	}
	arena_free(arena);
	return result;
}
