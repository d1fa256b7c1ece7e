#include "engine/contact_attempts.h"

#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

/* An attempt to call the nth of the numbers, from 1. */
struct number_attempt {
	int64_t nth;
	struct contact_attempt attempt;
};

COLUMNS(number_attempt_columns, struct number_attempt, COLUMN(struct number_attempt, nth),
        INSTANT_AS(struct number_attempt, called_at, attempt.called_at_us),
        INSTANT_AS(struct number_attempt, ended_at, attempt.ended_at_us),
        COLUMN_AS(struct number_attempt, status, attempt.status));

struct attempts {
	const struct contact_attempt *list;
	size_t count;
	bool many; /* more than a limit can count */
};

/* Numbers with the attempts that count, the latest first. */
struct reading {
	struct db *db;
	struct arena *arena;
	int64_t organization_id, since_us;
	const struct limited_number *numbers;
	struct attempts *attempts;
	size_t count;
};

static enum db_result find_many(struct reading *reading)
{
	struct rows numbers = rows_new(reading->arena);
	struct db_rows rows;

	for (size_t i = 0; i < reading->count; i++) {
		rows_next(&numbers);
		rows_text(&numbers, "phone", reading->numbers[i].phone_number);
	}
	DB_TRY(db_query(reading->db, SQL_NUMBERS_OF_MANY_CALLS,
	                DB_ARGS(rows_value(&numbers), db_int(reading->organization_id), db_instant(reading->since_us)),
	                reading->arena, &rows));
	for (size_t r = 0; r < rows.count; r++)
		reading->attempts[db_get_int(&rows, r, 0) - 1].many = true;
	return DB_OK;
}

static void take(struct reading *reading, const struct db_rows *rows)
{
	const struct number_attempt *found = DB_STRUCTS(rows, struct number_attempt);
	struct contact_attempt *list = arena_alloc(reading->arena, rows->count * sizeof *list);

	for (size_t r = 0; r < rows->count; r++) {
		struct attempts *attempts = &reading->attempts[found[r].nth - 1];

		list[r] = found[r].attempt;
		if (attempts->count++ == 0)
			attempts->list = &list[r];
	}
}

static enum db_result read_few(struct reading *reading)
{
	struct rows numbers = rows_new(reading->arena);
	struct db_rows rows;

	for (size_t i = 0; i < reading->count; i++) {
		const struct limited_number *number = &reading->numbers[i];

		rows_next(&numbers);
		rows_text(&numbers, "phone", reading->attempts[i].many ? "" : number->phone_number);
		rows_bytes(&numbers, "own", number->except.b, uuid_is_nil(&number->except) ? 0 : sizeof number->except.b);
	}
	DB_TRY(db_query(reading->db, SQL_ATTEMPTS_OF_NUMBERS,
	                DB_ARGS(rows_value(&numbers), db_int(reading->organization_id), db_instant(reading->since_us)),
	                reading->arena, &rows));
	take(reading, &rows);
	return DB_OK;
}

static enum db_result read_many(struct reading *reading, size_t i)
{
	struct db_rows rows;

	DB_TRY(db_query(reading->db, SQL_ATTEMPTS_OF_NUMBER,
	                DB_ARGS(db_int((int64_t)i + 1), db_int(reading->organization_id),
	                        db_text(reading->numbers[i].phone_number), db_instant(reading->since_us),
	                        db_uuid(&reading->numbers[i].except)),
	                reading->arena, &rows));
	take(reading, &rows);
	return DB_OK;
}

static enum db_result read_attempts(struct reading *reading, const struct contact_limits *limits, int64_t now_us)
{
	reading->since_us = now_us - contact_limits_reach_us(limits);
	reading->attempts = arena_alloc(reading->arena, reading->count * sizeof *reading->attempts);
	DB_TRY(find_many(reading));
	DB_TRY(read_few(reading));
	for (size_t i = 0; i < reading->count; i++)
		if (reading->attempts[i].many)
			DB_TRY(read_many(reading, i));
	return DB_OK;
}

enum db_result contact_attempts_free_at(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                        const struct limited_number *asked, size_t count, int64_t now_us,
                                        struct arena *arena, int64_t *free_at_us)
{
	struct reading reading = { db, arena, .organization_id = organization_id, .numbers = asked, .count = count };

	DB_TRY(read_attempts(&reading, limits, now_us));
	for (size_t i = 0; i < count; i++)
		free_at_us[i] = contact_limits_free_at(limits, reading.attempts[i].list, reading.attempts[i].count, now_us);
	return DB_OK;
}

enum db_result contact_attempts_hold(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                     const struct limited_number *asked, int64_t now_us, struct arena *arena,
                                     int64_t *free_at_us, struct contact_limit_hold *hold)
{
	struct reading reading = { db, arena, .organization_id = organization_id, .numbers = asked, .count = 1 };

	DB_TRY(read_attempts(&reading, limits, now_us));
	*free_at_us = contact_limits_free_at(limits, reading.attempts->list, reading.attempts->count, now_us);
	*hold = contact_limits_hold(limits, reading.attempts->list, reading.attempts->count, now_us);
	return DB_OK;
}
