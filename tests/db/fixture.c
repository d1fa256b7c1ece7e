#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "domain/scope.h"
#include "store/key_store.h"

#define LONG_US (2 * US_PER_SECOND) /* such work runs once, because a transaction is begun again for ten seconds only */

bool fixture_runs_once;
void (*fixture_between_runs)(void);

/* A transaction whose first run is undone, as after a deadlock. */
struct twice {
	db_work *work;
	void *context;
	bool has_run;
};

static bool runs_once(void)
{
	return fixture_between_runs == NULL && (fixture_runs_once || getenv("OUTDIAL_TEST_RUNS_ONCE") != NULL);
}

static enum db_result run_twice(struct db *db, void *context)
{
	struct twice *twice = context;
	int64_t began_us = clock_mono_us();
	enum db_result result;

	if (twice->has_run && fixture_between_runs != NULL)
		fixture_between_runs();
	if (twice->has_run)
		fixture_between_runs = NULL;
	result = twice->work(db, twice->context);
	if (result != DB_OK || twice->has_run || runs_once() || clock_mono_us() - began_us > LONG_US)
		return result;
	twice->has_run = true;
	return DB_CONFLICT;
}

/* The linker puts these functions in the place of db_transact and db_transact_briefly (RUN_TWICE in configure.ac). */
enum db_result __real_db_transact(struct db *db, enum db_again again, db_work *work, void *context);
enum db_result __real_db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context);
enum db_result __wrap_db_transact(struct db *db, enum db_again again, db_work *work, void *context);
enum db_result __wrap_db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context);

enum db_result __wrap_db_transact(struct db *db, enum db_again again, db_work *work, void *context)
{
	return __real_db_transact(db, again, run_twice, &(struct twice){ work, context, false });
}

enum db_result __wrap_db_transact_briefly(struct db *db, enum db_again again, db_work *work, void *context)
{
	return __real_db_transact_briefly(db, again, run_twice, &(struct twice){ work, context, false });
}

const char *fixture_option_file(void)
{
	const char *file = getenv("OUTDIAL_TEST_DATABASE_FILE");

	if (file == NULL)
		fatal("OUTDIAL_TEST_DATABASE_FILE names no option file");
	return file;
}

int64_t new_organization(struct db *db)
{
	uint8_t hash[SHA256_SIZE];
	struct uuid uuid = uuid_new();
	char name[UUID_TEXT];
	struct key key = {
		.uuid = uuid,
		.name = "",
		.organization_name = name,
		.scopes = SCOPES_ALL,
		.expires_at_us = INSTANT_NEVER,
		.created_at_us = clock_now_us(),
	};

	uuid_format(&uuid, name);
	crypto_random(hash, sizeof hash);
	if (key_create(db, &key, hash) != DB_OK)
		fatal("cannot make an organisation: %s", db_last_error(db));
	return key.organization_id;
}

int fixture_set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	if (fixture == NULL)
		fatal("out of memory");
	fixture->db = db_new(fixture_option_file());
	fixture->arena = arena_new();
	fixture->organization_id = new_organization(fixture->db);
	*state = fixture;
	return 0;
}

int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;

	db_free(fixture->db);
	arena_free(fixture->arena);
	free(fixture);
	return 0;
}

enum db_result transact_once(struct db *db, db_work *work, void *context)
{
	return __real_db_transact(db, DB_ONCE, work, context);
}

MYSQL *send_query(const char *query)
{
	MYSQL *mysql = mysql_init(NULL);

	mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, fixture_option_file());
	mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP, "outdial");
	if (mysql_real_connect(mysql, NULL, NULL, NULL, NULL, 0, NULL, 0) == NULL || mysql_query(mysql, query) != 0)
		fatal("%s: %s", query, mysql_error(mysql));
	return mysql;
}

int64_t ask(const char *format, ...)
{
	MYSQL *mysql;
	MYSQL_RES *result;
	MYSQL_ROW row;
	int64_t number;
	char query[1000];
	va_list args;

	va_start(args, format);
	vsnprintf(query, sizeof query, format, args);
	va_end(args);
	mysql = send_query(query);
	result = mysql_store_result(mysql); /* NULL: a statement without a result */
	row = result != NULL ? mysql_fetch_row(result) : NULL;
	number = row != NULL && row[0] != NULL ? strtoll(row[0], NULL, 10) : 0;
	mysql_free_result(result);
	mysql_close(mysql);
	return number;
}

/* Not from information_schema: MySQL cannot read its table of sessions while the text of a statement holds bytes. */
static bool is_session(const char *text)
{
	enum { STATE = 6, INFO = 7 };
	MYSQL *mysql = send_query("SHOW FULL PROCESSLIST");
	MYSQL_RES *sessions = mysql_store_result(mysql);
	bool found = false;
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(sessions)) != NULL)
		found |= (row[STATE] != NULL && strstr(row[STATE], text) != NULL) ||
		         (row[INFO] != NULL && strstr(row[INFO], text) != NULL);
	mysql_free_result(sessions);
	mysql_close(mysql);
	return found;
}

void wait_for_session(const char *text)
{
	int64_t deadline_us = clock_mono_us() + 20 * US_PER_SECOND;

	while (!is_session(text)) {
		if (clock_mono_us() > deadline_us)
			fatal("no session has come to: %s", text);
		usleep(5000);
	}
}
