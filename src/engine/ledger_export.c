#include "engine/ledger_export.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"

#define BLOCKS_AT_ONCE 20

/* Decisions are sealed after they are made. So the export of a time begins with the first block that was sealed
 * since; its `prev` is the hash of the block before. */
enum db_result ledger_export_begin(struct db *db, struct ledger_export *export)
{
	struct arena *arena = arena_new();
	const struct ledger_block *blocks;
	struct ledger_head head;
	size_t count = 0;
	enum db_result result = ledger_head_read(db, export->organization_id, arena, &head);

	if (result == DB_OK) {
		export->until_seq = head.seq;
		snprintf(export->prev, sizeof export->prev, "%s", head.first_prev);
		result = ledger_block_before(db, export->organization_id, export->from_us, &export->seq);
		export->seq = result == DB_NOT_FOUND ? head.seq : export->seq;
	}
	if (result == DB_OK && export->seq >= head.first_seq)
		result = ledger_blocks_read(db, export->organization_id, export->seq - 1, 1, arena, &blocks, &count);
	if (count != 0)
		snprintf(export->prev, sizeof export->prev, "%s", blocks[0].hash);
	arena_free(arena);
	return result == DB_NOT_FOUND && export->until_seq != 0 ? DB_OK : result;
}

static bool is_asked_for(const struct ledger_export *export, const struct ledger_line *line)
{
	char number[LEDGER_NUMBER] = "";
	bool is_known = ledger_line_number(line, number);
	int64_t at_us;

	return ledger_line_at(line, &at_us) && at_us >= export->from_us && at_us < export->to_us &&
	       (*export->phone_number == '\0' || (is_known && strcmp(number, export->phone_number) == 0));
}

static void write_line(struct json *json, const struct ledger_line *line)
{
	char number[LEDGER_NUMBER], hash[LEDGER_HEX];

	json_begin_object(json, NULL);
	json_string_n(json, "what", line->what, line->what_len);
	if (ledger_line_number(line, number)) {
		json_add_string(json, "number", number);
		json_string_n(json, "salt", line->person, LEDGER_SALT);
	} else {
		ledger_person_hash(line->person, hash);
		json_add_string(json, "person", hash);
	}
	json_end(json);
}

static void write_lines(struct json *json, const struct ledger_export *export, const struct ledger_block *block)
{
	const char *at = block->decisions.data, *end = at + block->decisions.len;
	struct ledger_line line;
	char digest[LEDGER_HEX];

	json_begin_array(json, "decisions");
	while (ledger_line_read(&at, end, &line)) {
		if (is_asked_for(export, &line)) {
			write_line(json, &line);
		} else {
			ledger_line_digest(&line, digest);
			json_add_string(json, NULL, digest);
		}
	}
	json_end(json);
}

static bool has_any(const struct ledger_export *export, const struct ledger_block *block)
{
	const char *at = block->decisions.data, *end = at + block->decisions.len;
	struct ledger_line line;

	while (ledger_line_read(&at, end, &line))
		if (is_asked_for(export, &line))
			return true;
	return false;
}

static void write_block(struct buf *out, struct ledger_export *export, const struct ledger_block *block)
{
	struct json json = json_to(out);
	char body[LEDGER_HEX];

	ledger_body(block->decisions.data, block->decisions.len, body);
	json_begin_object(&json, NULL);
	json_int(&json, "seq", block->seq);
	json_instant(&json, "sealed_at", block->sealed_at_us);
	json_add_string(&json, "prev", export->prev);
	json_add_string(&json, "body", body);
	json_add_string(&json, "hash", block->hash);
	if (has_any(export, block))
		write_lines(&json, export, block);
	json_end(&json);
	buf_putc(out, '\n');
	snprintf(export->prev, sizeof export->prev, "%s", block->hash);
	export->seq = block->seq;
}

enum db_result ledger_export_next(struct db *db, struct ledger_export *export, struct buf *out)
{
	struct arena *arena = arena_new();
	const struct ledger_block *blocks;
	size_t count = 0;
	enum db_result result = DB_OK;

	if (export->seq < export->until_seq)
		result = ledger_blocks_read(db, export->organization_id, export->seq, BLOCKS_AT_ONCE, arena, &blocks, &count);
	for (size_t i = 0; i < count && blocks[i].seq <= export->until_seq; i++)
		write_block(out, export, &blocks[i]);
	arena_free(arena);
	return result;
}
