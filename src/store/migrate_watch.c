#include "store/migrate_watch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db.h"
#include "store/statements.h"

#define FIRST_SECONDS 2
#define EVERY_SECONDS 10

static void tell_session(const struct db_rows *rows, size_t r, FILE *progress)
{
	fprintf(progress, "    it may wait for connection %" PRId64 " of %s (%s for %" PRId64 " s)\n", db_get_int(rows, r, 0),
	        db_get_text(rows, r, 3), db_get_text(rows, r, 4), db_get_int(rows, r, 2));
}

/* The user of the database may see its own sessions only: these are Outdial's programs. */
static void tell(struct db *db, const char *name, int64_t connection, FILE *progress)
{
	struct arena *arena = arena_new();
	bool waits = false;
	struct db_rows rows;

	if (db_query(db, SQL_MIGRATE_WATCH, DB_NO_ARGS, arena, &rows) != DB_OK)
		rows.count = 0;
	for (size_t r = 0; r < rows.count; r++)
		if (db_get_int(&rows, r, 0) == connection) {
			fprintf(progress, "  %s: for %" PRId64 " s: %s\n", name, db_get_int(&rows, r, 2), db_get_text(&rows, r, 1));
			waits = strstr(db_get_text(&rows, r, 1), "lock") != NULL;
		}
	for (size_t r = 0; waits && r < rows.count; r++)
		if (db_get_int(&rows, r, 0) != connection)
			tell_session(&rows, r, progress);
	fflush(progress);
	arena_free(arena);
}

pid_t migrate_watch_begin(const char *option_file, const char *name, int64_t connection, FILE *progress)
{
	pid_t parent = getpid(), child;
	struct db *db;

	fflush(progress);
	child = fork();
	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	sleep(FIRST_SECONDS);
	db_be_patient(DB_FOR_PROBES);
	db = db_new(option_file);
	for (;;) {
		tell(db, name, connection, progress);
		sleep(EVERY_SECONDS);
	}
}

void migrate_watch_end(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
