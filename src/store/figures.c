#include "store/figures.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

#define FLUSH_US US_PER_SECOND

struct counts {
	_Atomic int64_t counted[FIGURE__MAX][FIGURE_SERIES][FIGURE_SLOTS];
	_Atomic bool any;
	_Atomic int64_t flushed_us; /* monotonic */
};

struct figure_row {
	int64_t figure, slot, counted;
};

COLUMNS(figure_columns, struct figure_row, COLUMN(struct figure_row, figure), COLUMN(struct figure_row, slot),
        COLUMN(struct figure_row, counted));

static struct counts own;
static struct counts *counts = &own;
static int own_program = -1;

void figures_share(enum figures_program program)
{
	own_program = (int)program;
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		fatal("out of memory");
}

void figures_count(enum figure figure, int series, int slot, int64_t count)
{
	atomic_fetch_add(&counts->counted[figure][series][slot], count);
	atomic_store(&counts->any, true);
}

void figures_observe(enum figure figure, int series, int64_t us)
{
	if (us < 0)
		us = 0;
	figures_count(figure, series, histogram_bucket(us), 1);
	figures_count(figure, series, FIGURE_SUM, us);
}

void figures_observe_transaction(int64_t us)
{
	if (own_program >= 0)
		figures_observe(FIGURE_TRANSACTION_SECONDS, own_program, us);
}

/* Takes the counts; another process that flushes at the same time takes the rest. */
static void take(struct rows *rows, struct figures *taken)
{
	for (int figure = 0; figure < FIGURE__MAX; figure++)
		for (int i = 0; i < FIGURE_SERIES * FIGURE_SLOTS; i++) {
			int series = i / FIGURE_SLOTS, slot = i % FIGURE_SLOTS;
			int64_t count = atomic_exchange(&counts->counted[figure][series][slot], 0);

			taken->counted[figure][series][slot] = count;
			if (count == 0)
				continue;
			rows_next(rows);
			rows_int(rows, "figure", figure);
			rows_int(rows, "slot", i);
			rows_int(rows, "counted", count);
		}
}

static void give_back(const struct figures *taken)
{
	for (int figure = 0; figure < FIGURE__MAX; figure++)
		for (int series = 0; series < FIGURE_SERIES; series++)
			for (int slot = 0; slot < FIGURE_SLOTS; slot++)
				if (taken->counted[figure][series][slot] != 0)
					figures_count(figure, series, slot, taken->counted[figure][series][slot]);
}

enum db_result figures_flush(struct db *db)
{
	struct arena *arena;
	struct figures taken;
	enum db_result result;
	struct rows rows;

	atomic_store(&counts->flushed_us, clock_mono_us());
	if (!atomic_exchange(&counts->any, false))
		return DB_OK;
	arena = arena_new();
	rows = rows_new(arena);
	take(&rows, &taken);
	result = db_exec(db, SQL_FIGURES_ADD, DB_ARGS(rows_value(&rows)));
	if (result != DB_OK)
		give_back(&taken);
	arena_free(arena);
	return result;
}

enum db_result figures_flush_in_time(struct db *db)
{
	return clock_mono_us() - atomic_load(&counts->flushed_us) < FLUSH_US ? DB_OK : figures_flush(db);
}

enum db_result figures_read(struct db *db, struct arena *arena, struct figures *out)
{
	const struct figure_row *list;
	struct db_rows rows;

	*out = (struct figures){ 0 };
	DB_TRY(db_query(db, SQL_FIGURES, DB_NO_ARGS, arena, &rows));
	list = DB_STRUCTS(&rows, struct figure_row);
	for (size_t r = 0; r < rows.count; r++)
		if (list[r].figure < FIGURE__MAX && list[r].slot < FIGURE_SERIES * FIGURE_SLOTS) /* later versions have more */
			out->counted[list[r].figure][list[r].slot / FIGURE_SLOTS][list[r].slot % FIGURE_SLOTS] = list[r].counted;
	return DB_OK;
}
