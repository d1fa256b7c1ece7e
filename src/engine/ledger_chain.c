#include "engine/ledger_chain.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/columns.h"
#include "store/conflicts.h"
#include "store/organization_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define DRAFTS_AT_ONCE 64
#define BLOCK_BYTES 524288 /* a block has no more unless a single transaction decided more */
#define BLOCKS_AT_ONCE 20
#define ERASED_AT_ONCE 200
#define HEAD_LOG_US (60 * US_PER_MINUTE)
#define REFUSED_US (10 * US_PER_SECOND)

COLUMNS(ledger_head_columns, struct ledger_head, COLUMN(struct ledger_head, organization_id),
        COLUMN(struct ledger_head, seq), COLUMN(struct ledger_head, hash), INSTANT(struct ledger_head, sealed_at),
        COLUMN(struct ledger_head, first_seq), COLUMN(struct ledger_head, first_prev));

COLUMNS(ledger_block_columns, struct ledger_block, COLUMN(struct ledger_block, seq),
        INSTANT(struct ledger_block, sealed_at), COLUMN(struct ledger_block, hash),
        COLUMN(struct ledger_block, decisions));

struct sealing {
	int64_t organization_id, now_us;
	bool more;
};

static enum db_result get_head(struct db *db, enum sql_statement statement, int64_t organization_id,
                               struct arena *arena, struct ledger_head *out)
{
	return DB_GET(db, statement, DB_ARGS(db_int(organization_id)), arena, struct ledger_head, out);
}

enum db_result ledger_head_read(struct db *db, int64_t organization_id, struct arena *arena, struct ledger_head *out)
{
	return get_head(db, SQL_LEDGER_HEAD, organization_id, arena, out);
}

static enum db_result make_head(struct db *db, int64_t organization_id, struct arena *arena)
{
	char origin[LEDGER_HEX];
	struct db_rows rows;
	struct uuid id;

	DB_TRY(db_query(db, SQL_LEDGER_ORGANIZATION, DB_ARGS(db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	id = db_get_uuid(&rows, 0, 0);
	ledger_origin(&id, origin);
	return db_exec(db, SQL_LEDGER_HEAD_MAKE, DB_ARGS(db_int(organization_id), db_text(origin), db_text(origin)));
}

/* DB_NOT_FOUND: another transaction has locked it, or there is no such organisation. */
static enum db_result take_head(struct db *db, int64_t organization_id, struct arena *arena, struct ledger_head *out)
{
	enum db_result result = get_head(db, SQL_LEDGER_HEAD, organization_id, arena, out);

	if (result == DB_NOT_FOUND)
		result = make_head(db, organization_id, arena);
	return result == DB_OK ? get_head(db, SQL_LEDGER_HEAD_TRY, organization_id, arena, out) : result;
}

/* Reads as many drafts as make a block, one after the other. */
static void join_drafts(const struct db_rows *drafts, struct buf *decisions, struct rows *ids)
{
	size_t count = 0, len = 0;

	for (; count < drafts->count; count++) {
		size_t more = db_get(drafts, count, 1)->len;

		if (count != 0 && len + more > BLOCK_BYTES)
			break;
		len += more;
	}
	buf_reserve(decisions, len);
	for (size_t r = 0; r < count; r++) {
		const struct db_value *lines = db_get(drafts, r, 1);

		buf_add(decisions, lines->data, lines->len);
		rows_add_id(ids, db_get_int(drafts, r, 0));
	}
}

/* Finds the places in a block with numbers that are not erased. */
static struct rows find_numbers(int64_t seq, struct bytes decisions, struct arena *arena)
{
	const char *at = decisions.data, *begin = at, *end = at + decisions.len;
	struct rows rows = rows_new(arena);
	struct ledger_line line;
	char number[LEDGER_NUMBER];
	int64_t at_us;

	for (; ledger_line_read(&at, end, &line); begin = at) {
		if (!ledger_line_number(&line, number) || !ledger_line_at(&line, &at_us))
			continue;
		rows_next(&rows);
		rows_text(&rows, "phone_number", number);
		rows_instant(&rows, "decided_at", at_us);
		rows_int(&rows, "place", begin - (const char *)decisions.data);
		rows_int(&rows, "seq", seq);
	}
	return rows;
}

static enum db_result add_block(struct db *db, const struct ledger_head *head, const struct sealing *sealing,
                                const struct buf *decisions, struct arena *arena)
{
	struct db_value organization = db_int(head->organization_id), seq = db_int(head->seq + 1);
	int64_t sealed_at_us = sealing->now_us > head->sealed_at_us ? sealing->now_us : head->sealed_at_us;
	struct rows numbers = find_numbers(head->seq + 1, (struct bytes){ decisions->data, decisions->len }, arena);
	char body[LEDGER_HEX], hash[LEDGER_HEX];

	if (!ledger_body(decisions->data, decisions->len, body))
		log_error("decisions for the ledger are not whole organization=%lld", (long long)head->organization_id);
	ledger_link(head->hash, head->seq + 1, sealed_at_us, body, hash);
	DB_TRY(db_exec(db, SQL_LEDGER_SEAL,
	               DB_ARGS(organization, seq, db_instant(sealed_at_us), db_text(hash),
	                       db_bytes(decisions->data, decisions->len))));
	DB_TRY(db_exec(db, SQL_LEDGER_INDEX, DB_ARGS(organization, rows_value(&numbers))));
	if (sealed_at_us / HEAD_LOG_US != head->sealed_at_us / HEAD_LOG_US)
		db_note(db, "the head of a ledger organization=%lld head=%lld:%s", (long long)head->organization_id,
		        (long long)head->seq + 1, hash);
	return db_exec(db, SQL_LEDGER_HEAD_MOVE, DB_ARGS(seq, db_text(hash), db_instant(sealed_at_us), organization));
}

static enum db_result seal_block(struct db *db, struct sealing *sealing, struct arena *arena)
{
	struct buf decisions = { .arena = arena };
	struct rows ids = rows_new(arena);
	struct ledger_head head;
	struct db_rows drafts;
	enum db_result result;

	sealing->more = false; /* also in a second run */
	result = take_head(db, sealing->organization_id, arena, &head);
	if (result != DB_OK)
		return result == DB_NOT_FOUND ? DB_OK : result;
	DB_TRY(db_query(db, SQL_LEDGER_DRAFTS, DB_ARGS(db_int(sealing->organization_id), db_int(DRAFTS_AT_ONCE)), arena,
	                &drafts));
	if (drafts.count == 0)
		return DB_OK;
	join_drafts(&drafts, &decisions, &ids);
	sealing->more = drafts.count == DRAFTS_AT_ONCE || ids.count < drafts.count;
	DB_TRY(add_block(db, &head, sealing, &decisions, arena));
	return db_exec(db, SQL_LEDGER_DROP_DRAFTS, DB_ARGS(rows_value(&ids), db_int(sealing->organization_id)));
}

static enum db_result seal(struct db *db, void *context)
{
	struct arena *arena = arena_new();
	enum db_result result = seal_block(db, context, arena);

	arena_free(arena);
	return result;
}

/* An organisation whose decisions the database refuses to seal waits, because its drafts may come before all others. */
static int64_t refused, refused_until_us; /* monotonic */

static void note_refusal(const struct db *db, int64_t organization_id, enum db_result why)
{
	if (conflict_wait_us(db, CONFLICT_LEDGER, organization_id, why) != 0)
		return;
	log_error("the database refuses to seal decisions organization=%lld", (long long)organization_id);
	refused = organization_id;
	refused_until_us = clock_mono_us() + REFUSED_US;
}

enum db_result ledger_seal_step(struct db *db, int64_t now_us, int *found, bool *more)
{
	int64_t waits = clock_mono_us() < refused_until_us ? refused : 0;
	struct arena *arena = arena_new();
	struct db_rows rows = { 0 };
	enum db_result result = db_query(db, SQL_LEDGER_WAITING, DB_ARGS(db_int(waits)), arena, &rows);

	*found = (int)rows.count + (waits != 0);
	*more = false;
	for (size_t r = 0; result == DB_OK && r < rows.count; r++) {
		struct sealing sealing = { .organization_id = db_get_int(&rows, r, 0), .now_us = now_us };

		result = db_transact_briefly(db, DB_REPEATABLE, seal, &sealing);
		if (db_is_refusal(result)) {
			note_refusal(db, sealing.organization_id, result);
			result = DB_OK; /* the others go on */
		}
		*more |= sealing.more;
	}
	arena_free(arena);
	return result;
}

enum db_result ledger_organizations(struct db *db, struct arena *arena, const int64_t **ids, size_t *count)
{
	struct db_rows rows;
	int64_t *found;

	DB_TRY(db_query(db, SQL_LEDGER_ORGANIZATIONS, DB_NO_ARGS, arena, &rows));
	found = arena_alloc(arena, rows.count * sizeof *found);
	for (size_t r = 0; r < rows.count; r++)
		found[r] = db_get_int(&rows, r, 0);
	*ids = found;
	*count = rows.count;
	return DB_OK;
}

enum db_result ledger_organization_name(struct db *db, int64_t id, struct arena *arena, const char **name)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_LEDGER_ORGANIZATION, DB_ARGS(db_int(id)), arena, &rows));
	*name = rows.count != 0 ? db_get_text(&rows, 0, 1) : "";
	return DB_OK;
}

enum db_result ledger_blocks_read(struct db *db, int64_t organization_id, int64_t after_seq, int limit,
                                  struct arena *arena, const struct ledger_block **blocks, size_t *count)
{
	return DB_LIST(db, SQL_LEDGER_BLOCKS, DB_ARGS(db_int(organization_id), db_int(after_seq), db_int(limit)), arena,
	               struct ledger_block, blocks, count);
}

enum db_result ledger_block_before(struct db *db, int64_t organization_id, int64_t from_us, int64_t *seq)
{
	enum db_result result = db_query_int(db, SQL_LEDGER_FIRST_SINCE,
	                                     DB_ARGS(db_int(organization_id), db_instant(from_us)), seq);

	*seq = *seq > 0 ? *seq - 1 : 0;
	return result;
}

struct erasure {
	int64_t organization_id;
	const char *phone_number;
	bool more;
};

static enum db_result erase_line(struct db *db, const struct erasure *erasure, int64_t seq, int64_t place,
                                 struct arena *arena)
{
	struct db_value organization = db_int(erasure->organization_id), block = db_int(seq);
	char erased[LEDGER_PERSON];
	struct ledger_line line;
	const char *text, *at;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_LEDGER_LINE, DB_ARGS(db_int(place), organization, block), arena, &rows));
	text = rows.count == 0 ? "" : arena_printf(arena, "%s\n", db_get_text(&rows, 0, 0));
	at = text;
	if (!ledger_line_read(&at, text + strlen(text), &line))
		return DB_OK; /* ledger_verify reports it */
	ledger_person_erased(line.person, erased);
	return db_exec(db, SQL_LEDGER_ERASE,
	               DB_ARGS(db_int(place + (line.person - text) + 1), db_int(LEDGER_PERSON),
	                       db_bytes(erased, sizeof erased), organization, block));
}

static enum db_result erase_lines(struct db *db, struct erasure *erasure, struct arena *arena)
{
	struct db_value organization = db_int(erasure->organization_id), number = db_text(erasure->phone_number);
	struct rows gone = rows_new(arena);
	struct ledger_head head;
	struct db_rows rows;

	DB_TRY(get_head(db, SQL_LEDGER_HEAD_LOCK, erasure->organization_id, arena, &head));
	DB_TRY(db_query(db, SQL_LEDGER_PLACES, DB_ARGS(organization, number, db_int(ERASED_AT_ONCE)), arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		DB_TRY(erase_line(db, erasure, db_get_int(&rows, r, 0), db_get_int(&rows, r, 1), arena));
		rows_next(&gone);
		rows_text(&gone, "phone_number", erasure->phone_number);
		rows_instant(&gone, "decided_at", db_get_int(&rows, r, 2));
		rows_int(&gone, "place", db_get_int(&rows, r, 1));
		rows_int(&gone, "seq", db_get_int(&rows, r, 0));
	}
	erasure->more = rows.count == ERASED_AT_ONCE;
	return db_exec(db, SQL_LEDGER_DELETE_NUMBERS, DB_ARGS(rows_value(&gone), organization));
}

static enum db_result erase(struct db *db, void *context)
{
	struct erasure *erasure = context;
	struct arena *arena = arena_new();
	enum db_result result = organization_enter(db, erasure->organization_id);

	if (result == DB_OK)
		result = erase_lines(db, erasure, arena);
	arena_free(arena);
	return result;
}

enum db_result ledger_erase_step(struct db *db, int64_t organization_id, const char *phone_number, bool *more)
{
	struct erasure erasure = { organization_id, phone_number, false };
	enum db_result result = db_transact(db, DB_REPEATABLE, erase, &erasure);

	*more = erasure.more;
	return result == DB_NOT_FOUND ? DB_OK : result;
}

struct retirement {
	int64_t before_us;
	bool more;
};

static enum db_result retire_blocks(struct db *db, struct retirement *retirement, struct arena *arena)
{
	const struct ledger_block *blocks;
	const char *prev = NULL;
	struct ledger_head head;
	int64_t organization_id;
	size_t count, gone = 0;
	enum db_result result = db_query_int(db, SQL_LEDGER_OLD, DB_ARGS(db_instant(retirement->before_us)),
	                                     &organization_id);

	if (result != DB_OK)
		return result == DB_NOT_FOUND ? DB_OK : result;
	DB_TRY(get_head(db, SQL_LEDGER_HEAD_LOCK, organization_id, arena, &head));
	DB_TRY(ledger_blocks_read(db, organization_id, head.first_seq - 1, BLOCKS_AT_ONCE, arena, &blocks, &count));
	for (; gone < count && blocks[gone].sealed_at_us < retirement->before_us && blocks[gone].seq < head.seq; gone++) {
		struct rows numbers = find_numbers(blocks[gone].seq, blocks[gone].decisions, arena);

		DB_TRY(db_exec(db, SQL_LEDGER_DELETE_NUMBERS, DB_ARGS(rows_value(&numbers), db_int(head.organization_id))));
		prev = blocks[gone].hash;
	}
	if (gone == 0)
		return DB_OK;
	retirement->more = true;
	DB_TRY(db_exec(db, SQL_LEDGER_HEAD_CUT,
	               DB_ARGS(db_int(blocks[gone - 1].seq + 1), db_text(prev), db_int(organization_id))));
	return db_exec(db, SQL_LEDGER_DELETE, DB_ARGS(db_int(organization_id), db_int(blocks[gone - 1].seq + 1)));
}

static enum db_result retire(struct db *db, void *context)
{
	struct arena *arena = arena_new();
	enum db_result result = retire_blocks(db, context, arena);

	arena_free(arena);
	return result;
}

enum db_result ledger_retire_step(struct db *db, int64_t before_us, bool *more)
{
	struct retirement retirement = { before_us, false };
	enum db_result result = db_transact(db, DB_REPEATABLE, retire, &retirement);

	*more = retirement.more;
	return result;
}
