/* What is added is grouped here and not by the database: a hundred calls are a handful of rows. They go in the
 * order of their keys, so that two transactions do not lock them crosswise. */
#include "store/analytics_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/statements.h"

/* Ended calls of one campaign, one quarter and one status. */
struct group {
	int64_t batch_id, quarter;
	enum call_status status;
	struct tally tally;
};

/* A word of a dialer for one call of a campaign. */
struct word {
	int64_t batch_id;
	enum reason_kind kind;
	const char *text;
};

static int compare_numbers(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	int order = compare_numbers(a->batch_id, b->batch_id);

	if (order == 0)
		order = compare_numbers(a->quarter, b->quarter);
	return order != 0 ? order : compare_numbers(a->status, b->status);
}

static int compare_words(const void *left, const void *right)
{
	const struct word *a = left, *b = right;
	int order = compare_numbers(a->batch_id, b->batch_id);

	if (order == 0)
		order = compare_numbers(a->kind, b->kind);
	return order != 0 ? order : strcmp(a->text, b->text);
}

static struct group group_of(const struct ended_call *call)
{
	bool timed = call->duration_seconds >= 0, priced = call->cost_ten_thousandths >= 0;

	return (struct group){
		.batch_id = call->batch_id, .quarter = call->called_at_us / QUARTER_US, .status = call->status,
		.tally = {
			.calls = 1, .timed = timed, .seconds = timed ? call->duration_seconds : 0,
			.cost_ten_thousandths = priced ? call->cost_ten_thousandths : 0,
		},
	};
}

static void write_group(struct json *json, const struct group *group)
{
	json_begin_array(json, NULL);
	json_int(json, NULL, group->batch_id);
	json_int(json, NULL, group->quarter);
	json_int(json, NULL, group->status);
	json_int(json, NULL, group->tally.calls);
	json_int(json, NULL, group->tally.timed);
	json_int(json, NULL, group->tally.seconds);
	json_int(json, NULL, group->tally.cost_ten_thousandths);
	json_end(json);
}

static void write_word(struct json *json, const struct word *word, int64_t calls)
{
	json_begin_array(json, NULL);
	json_int(json, NULL, word->batch_id);
	json_int(json, NULL, word->kind);
	json_add_string(json, NULL, word->text);
	json_int(json, NULL, calls);
	json_end(json);
}

static enum db_result add_quarters(struct db *db, const struct ended_call *calls, size_t count, struct arena *arena)
{
	struct group *groups = arena_alloc(arena, count * sizeof *groups);
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	for (size_t i = 0; i < count; i++)
		groups[i] = group_of(&calls[i]);
	qsort(groups, count, sizeof *groups, compare_groups);
	json_begin_array(&json, NULL);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && compare_groups(&groups[i], &groups[next]) == 0; next++)
			tally_add(&groups[i].tally, &groups[next].tally);
		write_group(&json, &groups[i]);
	}
	json_end(&json);
	result = db_exec(db, SQL_ANALYTICS_ADD_QUARTERS, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

static size_t collect_words(const struct ended_call *calls, size_t count, struct word *words)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (*calls[i].outcome != '\0')
			words[found++] = (struct word){ calls[i].batch_id, REASON_OUTCOME, calls[i].outcome };
		if (*calls[i].end_reason != '\0')
			words[found++] = (struct word){ calls[i].batch_id, REASON_END_REASON, calls[i].end_reason };
	}
	return found;
}

static enum db_result add_reasons(struct db *db, const struct ended_call *calls, size_t count, struct arena *arena)
{
	struct word *words = arena_alloc(arena, 2 * count * sizeof *words);
	size_t found = collect_words(calls, count, words);
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	if (found == 0)
		return DB_OK;
	qsort(words, found, sizeof *words, compare_words);
	json_begin_array(&json, NULL);
	for (size_t i = 0, next; i < found; i = next) {
		for (next = i + 1; next < found && compare_words(&words[i], &words[next]) == 0;)
			next++;
		write_word(&json, &words[i], (int64_t)(next - i));
	}
	json_end(&json);
	result = db_exec(db, SQL_ANALYTICS_ADD_REASONS, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

enum db_result analytics_add(struct db *db, const struct ended_call *calls, size_t count)
{
	struct arena *arena = arena_new();
	enum db_result result = add_reasons(db, calls, count, arena);

	if (result == DB_OK)
		result = add_quarters(db, calls, count, arena);
	arena_free(arena);
	return result;
}

/* Four columns from `c` on. */
static struct tally read_tally(const struct db_rows *rows, size_t r, size_t c)
{
	return (struct tally){
		.calls = db_get_int(rows, r, c),
		.timed = db_get_int(rows, r, c + 1),
		.seconds = db_get_int(rows, r, c + 2),
		.cost_ten_thousandths = db_get_int(rows, r, c + 3),
	};
}

enum db_result analytics_quarters(struct db *db, int64_t batch_id, struct arena *arena,
                                  const struct quarter **quarters, size_t *count)
{
	struct db_rows rows;
	struct quarter *list;

	DB_TRY(db_query(db, SQL_ANALYTICS_QUARTERS, DB_ARGS(db_int(batch_id)), arena, &rows));
	list = arena_alloc(arena, rows.count * sizeof *list);
	for (size_t r = 0; r < rows.count; r++)
		list[r] = (struct quarter){
			.from_us = db_get_int(&rows, r, 0) * QUARTER_US,
			.status = (enum call_status)db_get_int(&rows, r, 1),
			.tally = read_tally(&rows, r, 2),
		};
	*quarters = list;
	*count = rows.count;
	return DB_OK;
}

enum db_result analytics_tallies(struct db *db, int64_t batch_id, struct tallies *out)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_ANALYTICS_TALLIES, DB_ARGS(db_int(batch_id)), arena, &rows);

	*out = (struct tallies){ 0 };
	for (size_t r = 0; result == DB_OK && r < rows.count; r++)
		out->of[db_get_int(&rows, r, 0)] = read_tally(&rows, r, 1);
	arena_free(arena);
	return result;
}

enum db_result analytics_reasons(struct db *db, int64_t batch_id, enum reason_kind kind, struct arena *arena,
                                 const struct reason **reasons, size_t *count)
{
	struct db_rows rows;
	struct reason *list;

	DB_TRY(db_query(db, SQL_ANALYTICS_REASONS, DB_ARGS(db_int(batch_id), db_int(kind)), arena, &rows));
	list = arena_alloc(arena, rows.count * sizeof *list);
	for (size_t r = 0; r < rows.count; r++)
		list[r] = (struct reason){ db_get_text(&rows, r, 0), db_get_int(&rows, r, 1) };
	*reasons = list;
	*count = rows.count;
	return DB_OK;
}
