/* The statements of the closed set on a connection: prepared once, run with parameters, and their answers read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/progress.h"
#include "store/db_connection.h"
#include "store/rows.h"

#define MAX_ARGS 100

#ifdef MARIADB_BASE_VERSION
typedef my_bool null_flag;
#else
typedef bool null_flag;
#endif

#define SQL(id, text)
#define READ(id, list, text) extern const struct columns list;
#include "store/statements.def"
#undef SQL
#undef READ

static const struct {
	const char *name, *text;
	const struct columns *columns; /* NULL: its answer is read as cells, or it has none */
} statements[SQL__MAX] = {
#define SQL(id, text) [id] = { #id, text, NULL },
#define READ(id, list, text) [id] = { #id, text, &list },
#include "store/statements.def"
#undef SQL
#undef READ
};

/* The statement is prepared again at its next use. An error may come after the first rows of an answer (a lock wait
 * that timed out). The client library would then wait for the rest of these rows. */
static enum db_result fail_statement(struct db *db, enum sql_statement id)
{
	MYSQL_STMT *stmt = db->prepared[id].stmt;
	unsigned number = mysql_stmt_errno(stmt);
	char message[256];

	strncpy(message, mysql_stmt_error(stmt), sizeof message - 1);
	message[sizeof message - 1] = '\0';
	mysql_stmt_close(stmt);
	db->prepared[id].stmt = NULL;
	return db_classify(db, statements[id].name, number, message);
}

static MYSQL_TIME to_time(int64_t us)
{
	int32_t day = civil_day_of(us);
	int64_t rest = us - day * US_PER_DAY;
	int seconds = (int)(rest / US_PER_SECOND), y, m, d;

	civil_date(day, &y, &m, &d);
	return (MYSQL_TIME){
		.year = (unsigned)y,
		.month = (unsigned)m,
		.day = (unsigned)d,
		.hour = (unsigned)(seconds / 3600),
		.minute = (unsigned)(seconds / 60 % 60),
		.second = (unsigned)(seconds % 60),
		.second_part = (unsigned long)(rest % US_PER_SECOND),
		.time_type = MYSQL_TIMESTAMP_DATETIME,
	};
}

static int64_t from_time(const MYSQL_TIME *t)
{
	int64_t seconds = (t->hour * INT64_C(60) + t->minute) * 60 + t->second;

	return civil_day((int)t->year, (int)t->month, (int)t->day) * US_PER_DAY + seconds * US_PER_SECOND +
	       (int64_t)t->second_part;
}

static enum db_type column_type(const MYSQL_FIELD *field)
{
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	/* Sums and COALESCE turn integers into this type. */
	case MYSQL_TYPE_NEWDECIMAL: return DB_INT;
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP: return DB_INSTANT;
	default: return DB_TEXT;
	}
}

static void map_column(enum sql_statement id, const MYSQL_FIELD *field, uint8_t *at)
{
	const struct columns *columns = statements[id].columns;
	size_t found = columns_find(columns, field->name);

	if (found == columns->count ||
	    !column_takes(&columns->list[found], &(struct db_value){ .type = column_type(field) })) {
		log_error("%s: column %s does not fit %s", statements[id].name, field->name, columns->type);
		abort();
	}
	*at = (uint8_t)found;
}

/* Every column of the list must be in the answer, once. */
static void map_columns(enum sql_statement id, struct prepared *prepared)
{
	const struct columns *columns = statements[id].columns;
	unsigned count = mysql_stmt_field_count(prepared->stmt);
	MYSQL_RES *meta = mysql_stmt_result_metadata(prepared->stmt);
	bool found[COLUMNS_MAX] = { false };

	assert(columns->count <= COLUMNS_MAX && count <= COLUMNS_MAX);
	for (unsigned i = 0; i < count; i++) {
		map_column(id, mysql_fetch_field_direct(meta, i), &prepared->map[i]);
		found[prepared->map[i]] = true;
	}
	mysql_free_result(meta);
	for (size_t i = 0; i < columns->count; i++)
		if (!found[i]) {
			log_error("%s: no column %s for %s", statements[id].name, columns->list[i].name, columns->type);
			abort();
		}
	assert(count == columns->count);
}

static enum db_result prepare_text(struct db *db, enum sql_statement id)
{
	const char *text = statements[id].text;
	struct prepared *prepared = &db->prepared[id];

	prepared->stmt = mysql_stmt_init(db->mysql);
	if (prepared->stmt == NULL)
		fatal("out of memory");
	db->used_at_us = clock_mono_us();
	if (mysql_stmt_prepare(prepared->stmt, text, (unsigned long)strlen(text)) != 0)
		return fail_statement(db, id);
	if (statements[id].columns != NULL)
		map_columns(id, prepared);
	return DB_OK;
}

/* If a server of a cluster rolls a transaction back, preparing a statement does not report it, and the answer does not
 * say whether there is a transaction. So the server is asked. */
static enum db_result prepare_in_transaction(struct db *db, enum sql_statement id)
{
	DB_TRY(prepare_text(db, id));
	return db_run_text(db, "DO 0");
}

static enum db_result prepare(struct db *db, enum sql_statement id)
{
	DB_TRY(db_connect(db));
	if (db->prepared[id].stmt == NULL)
		DB_TRY(db->in_transaction ? prepare_in_transaction(db, id) : prepare_text(db, id));
	return !db->in_transaction || db_is_in_transaction(db) ? DB_OK : DB_CONFLICT;
}

enum db_result db_prepare_all(struct db *db)
{
	for (enum sql_statement id = 0; id < SQL__MAX; id++)
		DB_TRY(prepare(db, id));
	return DB_OK;
}

static void bind_arg(const struct db_value *arg, MYSQL_BIND *bind, MYSQL_TIME *time)
{
	switch (arg->type) {
	case DB_INT:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = (void *)&arg->i;
		break;
	case DB_INSTANT:
		*time = to_time(arg->i);
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = time;
		break;
	case DB_MEMBERS: abort(); /* expanded before */
	case DB_TEXT:
	case DB_ROWS:
	case DB_BYTES:
		bind->buffer_type = arg->type == DB_BYTES ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
		bind->buffer = (void *)arg->data;
		bind->buffer_length = (unsigned long)arg->len;
		break;
	}
}

static bool has_no_rows(const struct db_value *args, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (args[i].type == DB_ROWS && ((const struct rows *)args[i].of)->count == 0)
			return true;
	return false;
}

/* Executes a statement that is prepared. It must not be prepared again here: db_connect could close the connection, and
 * with it the caller's statement. */
static enum db_result execute(struct db *db, enum sql_statement id, const struct db_value *args, size_t count)
{
	MYSQL_BIND binds[MAX_ARGS] = { 0 };
	MYSQL_TIME times[MAX_ARGS];
	MYSQL_STMT *stmt = db->prepared[id].stmt;
	const char *sql = statements[id].text;

	assert(count <= MAX_ARGS && mysql_stmt_param_count(stmt) == count);
	/* The batches among the parameters must fit the JSON_TABLEs of the statement, in order. */
	for (size_t i = 0; i < count; i++)
		if (args[i].type == DB_ROWS)
			sql = rows_check(args[i].of, sql);
	for (size_t i = 0; i < count; i++)
		bind_arg(&args[i], &binds[i], &times[i]);
	db->used_at_us = clock_mono_us();
	if (mysql_stmt_bind_param(stmt, binds) || !db_wait_execute(db, stmt))
		return fail_statement(db, id);
	db->used_at_us = clock_mono_us();
	progress_note();
	return DB_OK;
}

/* Replaces a struct by the values of its members. Returns the number of parameters. */
static size_t expand_args(const struct db_value *args, size_t count, struct db_value out[MAX_ARGS], struct arena *arena)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const struct columns *columns = args[i].columns;

		assert(used + (columns != NULL ? columns->count : 1) <= MAX_ARGS);
		if (columns == NULL)
			out[used++] = args[i];
		for (size_t c = 0; columns != NULL && c < columns->count; c++)
			out[used++] = column_value(&columns->list[c], args[i].of, arena);
	}
	return used;
}

enum db_result db_exec(struct db *db, enum sql_statement id, const struct db_value *args, size_t count)
{
	struct db_value all[MAX_ARGS];
	struct arena *arena;
	enum db_result result;

	db->affected = db->insert_id = 0;
	if (has_no_rows(args, count))
		return DB_OK;
	arena = arena_new();
	result = prepare(db, id);
	if (result == DB_OK)
		result = execute(db, id, all, expand_args(args, count, all, arena));
	if (result == DB_OK) {
		db->affected = (int64_t)mysql_stmt_affected_rows(db->prepared[id].stmt);
		db->insert_id = (int64_t)mysql_stmt_insert_id(db->prepared[id].stmt);
	}
	arena_free(arena);
	return result;
}

int64_t db_affected(const struct db *db)
{
	return db->affected;
}

int64_t db_insert_id(const struct db *db)
{
	return db->insert_id;
}

/* Memory into which the client library writes one column of the present row. */
struct cell {
	enum db_type type;
	int64_t i;
	MYSQL_TIME time;
	unsigned long len;
	null_flag is_null;
	char *text;
};

static void bind_column(struct cell *cell, const MYSQL_FIELD *field, MYSQL_BIND *bind, struct arena *arena)
{
	cell->type = column_type(field);
	bind->is_null = &cell->is_null;
	bind->length = &cell->len;
	if (cell->type == DB_INT) {
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &cell->i;
	} else if (cell->type == DB_INSTANT) {
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = &cell->time;
	} else { /* max_length is known, because the result was stored with UPDATE_MAX_LENGTH */
		cell->text = arena_alloc(arena, field->max_length + 1);
		bind->buffer_type = MYSQL_TYPE_STRING;
		bind->buffer = cell->text;
		bind->buffer_length = field->max_length;
	}
}

static struct db_value read_cell(const struct cell *cell, struct arena *arena)
{
	struct db_value value = { .type = cell->type };

	if (cell->type == DB_INT)
		value.i = cell->is_null ? 0 : cell->i;
	else if (cell->type == DB_INSTANT)
		value.i = cell->is_null ? INSTANT_NONE : from_time(&cell->time);
	else {
		value.len = cell->is_null ? 0 : cell->len;
		value.data = arena_strndup(arena, cell->text, value.len);
	}
	return value;
}

/* A row is a struct, or an array of cells. */
static void read_row(const struct prepared *prepared, const struct cell *cells, const struct db_rows *rows, void *to,
                     struct arena *arena)
{
	for (size_t c = 0; c < rows->columns; c++) {
		struct db_value cell = read_cell(&cells[c], arena);

		if (rows->of != NULL)
			column_read(&rows->of->list[prepared->map[c]], &cell, arena, to);
		else
			((struct db_value *)to)[c] = cell;
	}
}

static int fetch_rows(const struct prepared *prepared, struct arena *arena, struct db_rows *rows)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(prepared->stmt);
	const MYSQL_FIELD *fields = mysql_fetch_fields(meta);
	struct cell *cells = arena_alloc(arena, rows->columns * sizeof *cells);
	MYSQL_BIND *binds = arena_alloc(arena, rows->columns * sizeof *binds);
	size_t width = rows->of != NULL ? rows->of->size : rows->columns * sizeof(struct db_value);
	char *to = arena_alloc(arena, rows->count * width);
	int fetched = 0;

	*(rows->of != NULL ? &rows->structs : (void **)&rows->cells) = to;
	for (size_t c = 0; c < rows->columns; c++)
		bind_column(&cells[c], &fields[c], &binds[c], arena);
	mysql_free_result(meta);
	if (mysql_stmt_bind_result(prepared->stmt, binds))
		return 1;
	for (size_t r = 0; r < rows->count && fetched == 0; r++, to += width) {
		fetched = mysql_stmt_fetch(prepared->stmt);
		read_row(prepared, cells, rows, to, arena);
	}
	return fetched;
}

static enum db_result query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                            struct arena *arena, struct db_rows *rows)
{
	MYSQL_STMT *stmt;

	*rows = (struct db_rows){ .of = statements[id].columns };
	if (has_no_rows(args, count))
		return DB_OK;
	DB_TRY(prepare(db, id));
	stmt = db->prepared[id].stmt;
	mysql_stmt_attr_set(stmt, STMT_ATTR_UPDATE_MAX_LENGTH, &(null_flag){ 1 });
	DB_TRY(execute(db, id, args, count));
	if (!db_wait_store(db, stmt))
		return fail_statement(db, id);
	rows->count = (size_t)mysql_stmt_num_rows(stmt);
	rows->columns = mysql_stmt_field_count(stmt);
	if (rows->count != 0 && fetch_rows(&db->prepared[id], arena, rows))
		return fail_statement(db, id);
	mysql_stmt_free_result(stmt);
	return DB_OK;
}

enum db_result db_query(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                        struct arena *arena, struct db_rows *rows)
{
	enum db_result result = query(db, id, args, count, arena, rows);

	if (result == DB_LOST && !db->in_transaction) /* the server restarted since the last query */
		result = query(db, id, args, count, arena, rows);
	return result;
}
