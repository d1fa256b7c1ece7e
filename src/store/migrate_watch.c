#include "store/migrate_watch.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/db.h"
#include "store/db_text.h"

#define FIRST_SECONDS 2
#define EVERY_SECONDS 10
#define BLOCKERS_MAX 20

/* The first columns of SHOW PROCESSLIST, which are the same on MariaDB and MySQL. */
enum { ID, USER, HOST, DATABASE, COMMAND, SECONDS, STATE };

struct watch {
	const char *name;
	int64_t connection, own;
	char database[65];
	FILE *progress;
	bool waits;
	int blockers; /* how many sessions were found that may hold the lock */
};

static const char *text_of(const struct db_cell *cell)
{
	return cell->data != NULL ? cell->data : "";
}

static enum db_result take_own(void *context, const struct db_cell *cells)
{
	struct watch *watch = context;

	watch->own = strtoll(text_of(&cells[0]), NULL, 10);
	snprintf(watch->database, sizeof watch->database, "%s", text_of(&cells[1]));
	return DB_OK;
}

static enum db_result print_statement(void *context, const struct db_cell *session)
{
	struct watch *watch = context;

	if (strtoll(text_of(&session[ID]), NULL, 10) != watch->connection)
		return DB_OK;
	fprintf(watch->progress, "  %s: for %s s: %s\n", watch->name, text_of(&session[SECONDS]), text_of(&session[STATE]));
	watch->waits = strstr(text_of(&session[STATE]), "lock") != NULL;
	return DB_OK;
}

static enum db_result print_blocker(void *context, const struct db_cell *session)
{
	struct watch *watch = context;
	int64_t id = strtoll(text_of(&session[ID]), NULL, 10);

	if (id == watch->connection || id == watch->own || strcmp(text_of(&session[DATABASE]), watch->database) != 0)
		return DB_OK;
	if (watch->blockers++ >= BLOCKERS_MAX)
		return DB_OK;
	fprintf(watch->progress, "    it may wait for connection %" PRId64 " of %s (%s for %s s)\n", id,
	        text_of(&session[HOST]), text_of(&session[COMMAND]), text_of(&session[SECONDS]));
	return DB_OK;
}

/* Prints what the watched statement does and, if it waits for a lock, which sessions may hold the lock. The database
 * user may see only its own sessions, which are sessions of Outdial's programs. SHOW PROCESSLIST always works: MySQL
 * refuses to read information_schema.processlist while a session runs a statement with binary data. */
static void print_waits(struct db *db, struct watch *watch)
{
	static const char show[] = "SHOW PROCESSLIST";

	watch->waits = false;
	watch->blockers = 0;
	if (db_ready(db) != DB_OK || db_text_query(db, "SELECT CONNECTION_ID(), DATABASE()", take_own, watch) != DB_OK)
		return;
	if (db_text_query(db, show, print_statement, watch) == DB_OK && watch->waits)
		db_text_query(db, show, print_blocker, watch);
	fflush(watch->progress);
}

pid_t migrate_watch_begin(const char *option_file, const char *name, int64_t connection, FILE *progress)
{
	struct watch watch = { .name = name, .connection = connection, .progress = progress };
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
		print_waits(db, &watch);
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
