/* Calls are grouped here before they are added in the database: a hundred calls become a handful of rows. The rows are
 * written in the order of their keys, so that two transactions cannot deadlock on them. */
#include "store/analytics_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

/* Ended calls of one campaign, one quarter and one status. */
struct group {
	int64_t batch_id, quarter;
	enum call_status status;
	struct tally tally;
};

/* The outcome or end reason that a dialer reported for one call of a campaign. */
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

static void add_group(struct rows *rows, const struct group *group)
{
	rows_next(rows);
	rows_int(rows, "batch_id", group->batch_id);
	rows_int(rows, "quarter", group->quarter);
	rows_int(rows, "status", group->status);
	rows_int(rows, "calls", group->tally.calls);
	rows_int(rows, "timed", group->tally.timed);
	rows_int(rows, "seconds", group->tally.seconds);
	rows_int(rows, "cost", group->tally.cost_ten_thousandths);
}

static void add_word(struct rows *rows, const struct word *word, int64_t calls)
{
	rows_next(rows);
	rows_int(rows, "batch_id", word->batch_id);
	rows_int(rows, "kind", word->kind);
	rows_text(rows, "reason", word->text);
	rows_int(rows, "calls", calls);
}

static enum db_result add_quarters(struct db *db, const struct ended_call *calls, size_t count, struct arena *arena)
{
	struct group *groups = arena_alloc(arena, count * sizeof *groups);
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < count; i++)
		groups[i] = group_of(&calls[i]);
	qsort(groups, count, sizeof *groups, compare_groups);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && compare_groups(&groups[i], &groups[next]) == 0; next++)
			tally_add(&groups[i].tally, &groups[next].tally);
		add_group(&rows, &groups[i]);
	}
	return db_exec(db, SQL_ANALYTICS_ADD_QUARTERS, DB_ARGS(rows_value(&rows)));
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
	struct rows rows = rows_new(arena);

	qsort(words, found, sizeof *words, compare_words);
	for (size_t i = 0, next; i < found; i = next) {
		for (next = i + 1; next < found && compare_words(&words[i], &words[next]) == 0;)
			next++;
		add_word(&rows, &words[i], (int64_t)(next - i));
	}
	return db_exec(db, SQL_ANALYTICS_ADD_REASONS, DB_ARGS(rows_value(&rows)));
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

COLUMNS(quarter_columns, struct quarter, COLUMN_AS(struct quarter, quarter, from_us), COLUMN(struct quarter, status),
        COLUMN_AS(struct quarter, calls, tally.calls), COLUMN_AS(struct quarter, timed, tally.timed),
        COLUMN_AS(struct quarter, seconds, tally.seconds), COLUMN_AS(struct quarter, cost, tally.cost_ten_thousandths));

COLUMNS(reason_columns, struct reason, COLUMN_AS(struct reason, reason, text), COLUMN(struct reason, calls));

enum db_result analytics_quarters(struct db *db, int64_t batch_id, struct arena *arena, const struct quarter **quarters,
                                  size_t *count)
{
	struct db_rows rows;
	struct quarter *list;

	DB_TRY(db_query(db, SQL_ANALYTICS_QUARTERS, DB_ARGS(db_int(batch_id)), arena, &rows));
	list = DB_STRUCTS(&rows, struct quarter);
	for (size_t r = 0; r < rows.count; r++)
		list[r].from_us *= QUARTER_US;
	*quarters = list;
	*count = rows.count;
	return DB_OK;
}

enum db_result analytics_tallies(struct db *db, int64_t batch_id, struct tallies *out)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_ANALYTICS_TALLIES, DB_ARGS(db_int(batch_id)), arena, &rows);
	const struct quarter *list = DB_STRUCTS(&rows, struct quarter);

	*out = (struct tallies){ 0 };
	for (size_t r = 0; result == DB_OK && r < rows.count; r++)
		out->of[list[r].status] = list[r].tally;
	arena_free(arena);
	return result;
}

enum db_result analytics_reasons(struct db *db, int64_t batch_id, enum reason_kind kind, struct arena *arena,
                                 const struct reason **reasons, size_t *count)
{
	return DB_LIST(db, SQL_ANALYTICS_REASONS, DB_ARGS(db_int(batch_id), db_int(kind)), arena, struct reason, reasons,
	               count);
}
