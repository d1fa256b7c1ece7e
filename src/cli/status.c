#include "store/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "store/schema.h"

#define WATCH_SECONDS 2

struct view {
	bool json, watch;
};

static void print_row(const char *name, int64_t value)
{
	printf("%-28s %12" PRId64 "\n", name, value);
}

static void print_status(const struct status *status)
{
	print_row("schema version", SCHEMA_VERSION);
	for (int i = 0; i < BATCH_STATUS__MAX; i++) {
		char name[32];

		snprintf(name, sizeof name, "campaigns %s", batch_status_names[i]);
		print_row(name, status->campaigns[i]);
	}
	print_row("calls in flight", status->calls_in_flight);
	print_row("webhooks waiting", status->deliveries_waiting);
	print_row("schedulers", status->work.schedulers);
	print_row("API masters", status->work.apis);
	print_row("work waits, s", work_waits_us(&status->work, clock_now_us()) / US_PER_SECOND);
	print_row("database clock ahead, ms", clock_offset_ms());
}

static void print_process(const struct process *process)
{
	printf("%-10s %s, process %" PRId64 ", version %s: seen %" PRId64 " s ago\n", process_kind_names[process->kind],
	       process->host, process->pid, process->version, (clock_now_us() - process->seen_at_us) / US_PER_SECOND);
}

static void write_processes(struct json *json, const struct process *processes, size_t count)
{
	json_begin_array(json, "processes");
	for (size_t i = 0; i < count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, "kind", process_kind_names[processes[i].kind]);
		json_add_string(json, "host", processes[i].host);
		json_int(json, "pid", processes[i].pid);
		json_add_string(json, "version", processes[i].version);
		json_instant(json, "started_at", processes[i].started_at_us);
		json_instant(json, "seen_at", processes[i].seen_at_us);
		json_end(json);
	}
	json_end(json);
}

static void print_json(const struct status *status, const struct process *processes, size_t count)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);

	json_begin_object(&json, NULL);
	json_int(&json, "schema_version", SCHEMA_VERSION);
	json_begin_object(&json, "campaigns");
	for (int i = 0; i < BATCH_STATUS__MAX; i++)
		json_int(&json, batch_status_names[i], status->campaigns[i]);
	json_end(&json);
	json_int(&json, "calls_in_flight", status->calls_in_flight);
	json_int(&json, "deliveries_waiting", status->deliveries_waiting);
	json_int(&json, "schedulers", status->work.schedulers);
	json_int(&json, "api_masters", status->work.apis);
	json_int(&json, "oldest_due_seconds", work_waits_us(&status->work, clock_now_us()) / US_PER_SECOND);
	json_int(&json, "clock_offset_ms", clock_offset_ms());
	write_processes(&json, processes, count);
	json_end(&json);
	puts(buf_text(&text));
	buf_free(&text);
}

static void require_schema(struct db *db)
{
	int64_t version;

	cli_connect(db);
	if (schema_version(db, &version) != DB_OK)
		fatal("cannot read the schema version: %s", db_last_error(db));
	if (version != SCHEMA_VERSION)
		fatal("the database has schema version %d, this program works with %d: see `outdial migrate`", (int)version,
		      SCHEMA_VERSION);
}

static enum db_result show(struct db *db, const struct view *view, struct arena *arena)
{
	const struct process *processes;
	struct status status;
	size_t count;

	DB_TRY(db_ready(db));
	DB_TRY(status_read(db, &status));
	DB_TRY(processes_read(db, arena, &processes, &count));
	if (view->json) {
		print_json(&status, processes, count);
		return DB_OK;
	}
	print_status(&status);
	for (size_t i = 0; i < count; i++)
		print_process(&processes[i]);
	return DB_OK;
}

/* On a terminal, only the latest state is shown. In a file, the states follow each other. */
static void watch(struct db *db, const struct view *view, struct arena *arena)
{
	for (;;) {
		if (!view->json && isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		if (show(db, view, arena) != DB_OK)
			printf("the database does not answer: %s\n", db_last_error(db));
		if (fflush(stdout) != 0)
			return;
		arena_reset(arena);
		sleep(WATCH_SECONDS);
	}
}

static struct view read_arguments(int argc, char **argv)
{
	struct view view = { .json = false };

	for (int i = 1; i < argc; i++) {
		bool *flag = strcmp(argv[i], "--json") == 0 ? &view.json : strcmp(argv[i], "--watch") == 0 ? &view.watch : NULL;

		if (flag == NULL)
			fatal("%s: unknown option: see --help", argv[i]);
		*flag = true;
	}
	return view;
}

void cli_status(const struct conf *conf, int argc, char **argv)
{
	struct view view = read_arguments(argc, argv);
	struct db *db = db_new(conf->database_file);
	struct arena *arena = arena_new();

	require_schema(db);
	if (view.watch)
		watch(db, &view, arena);
	else if (show(db, &view, arena) != DB_OK)
		fatal("cannot read the state: %s", db_last_error(db));
	arena_free(arena);
	db_free(db);
}
