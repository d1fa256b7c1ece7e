/* Batches of rows: their text, and the check against the statement that unfolds them. Columns: the member for each
 * column, in both directions. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/instant.h"
#include "store/columns.h"
#include "store/rows.h"

static struct arena *arena;

static int make_arena(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int free_arena(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char unfolding[] =
	"SELECT 1 FROM JSON_TABLE(?, '$[*]' COLUMNS (nth FOR ORDINALITY, id BIGINT PATH '$[0]',"
	" name VARCHAR(16) CHARACTER SET ascii PATH '$[2]', at DATETIME(6) PATH '$[1]')) j WHERE j.id > 7";
static const char unfolding_values[] = "DELETE FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) j";

static struct rows two_rows(void)
{
	struct rows rows = rows_new(arena);

	for (int i = 1; i <= 2; i++) {
		rows_next(&rows);
		rows_int(&rows, "id", i);
		rows_instant(&rows, "at", 0);
		rows_text(&rows, "name", "a\"b");
	}
	return rows;
}

static void rows_are_arrays(void **state)
{
	struct rows rows = two_rows();
	struct db_value value = rows_value(&rows), again = rows_value(&rows);

	(void)state;
	assert_string_equal(value.data, "[[1,\"1970-01-01 00:00:00.000000\",\"a\\\"b\"],"
	                                "[2,\"1970-01-01 00:00:00.000000\",\"a\\\"b\"]]");
	assert_int_equal(value.len, strlen(value.data));
	assert_string_equal(again.data, value.data);
	assert_int_equal(rows.count, 2);
	rows_next(&rows);
	rows_int(&rows, "id", 3);
	rows_instant(&rows, "at", 0);
	rows_text(&rows, "name", "");
	assert_string_equal(rows_value(&rows).data + value.len - 1, ",[3,\"1970-01-01 00:00:00.000000\",\"\"]]");
}

static void rows_of_one_column_are_values(void **state)
{
	struct rows rows = rows_new(arena), ids = rows_new(arena), none = rows_new(arena);
	static const struct uuid id = { { 0xab, [15] = 1 } };

	(void)state;
	for (int i = 1; i <= 3; i++) {
		rows_next(&rows);
		rows_int(&rows, "id", i);
	}
	rows_next(&ids);
	rows_id(&ids, "id", &id);
	assert_string_equal(rows_value(&rows).data, "[ 1, 2, 3]");
	assert_string_equal(rows_value(&ids).data, "[ \"ab000000000000000000000000000001\"]");
	assert_string_equal(rows_value(&none).data, "[]");
}

static void many_rows_outgrow_their_memory(void **state)
{
	struct rows rows = rows_new(arena);
	struct db_value value;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		rows_next(&rows);
		rows_int(&rows, "id", i % 10);
	}
	value = rows_value(&rows);
	assert_int_equal(value.len, 300001);
	assert_memory_equal(value.data + value.len - 6, ", 8, 9]" + 1, 6);
}

static void rows_fit_their_statement(void **state)
{
	struct rows rows = two_rows(), values = rows_new(arena);

	(void)state;
	rows_value(&rows);
	assert_string_equal(rows_check(&rows, unfolding), ")) j WHERE j.id > 7");
	rows_next(&values);
	rows_int(&values, "id", 1);
	rows_value(&values);
	assert_string_equal(rows_check(&values, unfolding_values), ")) j");
}

static void other_name(void)
{
	struct rows rows = rows_new(arena);

	rows_next(&rows);
	rows_int(&rows, "id", 1);
	rows_instant(&rows, "since", 0);
	rows_text(&rows, "name", "");
	rows_value(&rows);
	rows_check(&rows, unfolding);
}

static void other_order(void)
{
	struct rows rows = rows_new(arena);

	rows_next(&rows);
	rows_instant(&rows, "at", 0);
	rows_int(&rows, "id", 1);
	rows_text(&rows, "name", "");
	rows_value(&rows);
	rows_check(&rows, unfolding);
}

static void other_type(void)
{
	struct rows rows = rows_new(arena);

	rows_next(&rows);
	rows_text(&rows, "id", "1");
	rows_instant(&rows, "at", 0);
	rows_text(&rows, "name", "");
	rows_value(&rows);
	rows_check(&rows, unfolding);
}

static void too_narrow(void)
{
	struct rows rows = rows_new(arena);

	rows_next(&rows);
	rows_int(&rows, "id", 1);
	rows_instant(&rows, "at", 0);
	rows_value(&rows);
	rows_check(&rows, unfolding);
}

static void array_for_a_value(void)
{
	struct rows rows = two_rows();

	rows_value(&rows);
	rows_check(&rows, unfolding_values);
}

static void unequal_widths(void)
{
	struct rows rows = two_rows();

	rows_next(&rows);
	rows_int(&rows, "id", 3);
	rows_value(&rows);
}

static void unequal_names(void)
{
	struct rows rows = two_rows();

	rows_next(&rows);
	rows_int(&rows, "number", 3);
}

static int signal_of(void (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		close(STDERR_FILENO);
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void rows_that_do_not_fit_end_the_process(void **state)
{
	static void (*const wrong[])(void) = {
		other_name, other_order, other_type, too_narrow, array_for_a_value, unequal_widths, unequal_names,
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(signal_of(wrong[i]), SIGABRT);
}

enum color { RED, BLUE };

struct thing {
	int64_t id, at_us;
	int small;
	enum color color;
	bool on;
	const char *name;
	struct field_list words;
	struct uuid uuid, none;
	struct bytes bytes;
};

static void read_words(const char *text, struct arena *into, void *member)
{
	*(struct field_list *)member = (struct field_list){ arena_strdup(into, text), strlen(text) };
}

static const char *write_words(const void *member, struct arena *into)
{
	const struct field_list *words = member;

	return arena_strndup(into, words->items, words->count);
}

static const struct column_form words_form = { read_words, write_words };

static COLUMNS(thing_columns, struct thing, COLUMN(struct thing, id), INSTANT(struct thing, at),
               COLUMN(struct thing, small), COLUMN_AS(struct thing, hue, color), COLUMN(struct thing, on),
               COLUMN(struct thing, name), FORM_AS(struct thing, words, words, &words_form), COLUMN(struct thing, uuid),
               COLUMN(struct thing, none), COLUMN(struct thing, bytes));

static void columns_are_found_by_name(void **state)
{
	(void)state;
	assert_int_equal(columns_find(&thing_columns, "at"), 1);
	assert_int_equal(columns_find(&thing_columns, "hue"), 3);
	assert_int_equal(columns_find(&thing_columns, "color"), thing_columns.count);
	assert_string_equal(thing_columns.type, "struct thing");
}

static void cells_land_in_members_and_come_back(void **state)
{
	static const uint8_t id[16] = { 7, [15] = 9 };
	const struct db_value cells[] = {
		db_int(-5),    db_instant(77),          db_int(-2),  db_int(BLUE),       db_int(1), db_text("n"),
		db_text("ab"), db_bytes(id, sizeof id), db_text(""), db_bytes("\0x", 2),
	};
	struct thing thing = { 0 };

	(void)state;
	for (size_t i = 0; i < thing_columns.count; i++)
		column_read(&thing_columns.list[i], &cells[i], arena, &thing);
	assert_int_equal(thing.id, -5);
	assert_int_equal(thing.at_us, 77);
	assert_int_equal(thing.small, -2);
	assert_int_equal(thing.color, BLUE);
	assert_true(thing.on);
	assert_string_equal(thing.words.items, "ab");
	assert_true(uuid_is_nil(&thing.none));
	for (size_t i = 0; i < thing_columns.count; i++) {
		struct db_value value = column_value(&thing_columns.list[i], &thing, arena);

		if (i == 8) /* the nil id, which was "" */
			continue;
		assert_int_equal(value.type, cells[i].type);
		assert_int_equal(value.i, cells[i].i);
		assert_int_equal(value.len, cells[i].len);
		if (value.len != 0)
			assert_memory_equal(value.data, cells[i].data, value.len);
	}
}

static void a_column_takes_cells_of_its_type(void **state)
{
	const struct db_value number = db_int(1), text = db_text(""), instant = db_instant(0);

	(void)state;
	for (size_t i = 0; i < thing_columns.count; i++) {
		const struct column *column = &thing_columns.list[i];

		assert_int_equal(column_takes(column, &number), i == 0 || (i >= 2 && i <= 4));
		assert_int_equal(column_takes(column, &instant), i == 1);
		assert_int_equal(column_takes(column, &text), i >= 5);
	}
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(rows_are_arrays),
		cmocka_unit_test(rows_of_one_column_are_values),
		cmocka_unit_test(many_rows_outgrow_their_memory),
		cmocka_unit_test(rows_fit_their_statement),
		cmocka_unit_test(rows_that_do_not_fit_end_the_process),
		cmocka_unit_test(columns_are_found_by_name),
		cmocka_unit_test(cells_land_in_members_and_come_back),
		cmocka_unit_test(a_column_takes_cells_of_its_type),
	};

	return cmocka_run_group_tests(group_tests, make_arena, free_arena);
}
