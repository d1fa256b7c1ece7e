#include "api/metrics.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/board.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "domain/batch.h"
#include "store/outage.h"
#include "store/process_store.h"
#include "store/report_store.h"
#include "store/statements.h"
#include "store/status.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void whole(struct buf *out, const char *name, int64_t value)
{
	buf_printf(out, "%s %lld\n", name, (long long)value);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
	head(out, name, type, help);
	whole(out, name, value);
}

static double seconds(int64_t us)
{
	return (double)us / (double)US_PER_SECOND;
}

static void one_in_seconds(struct buf *out, const char *name, const char *type, const char *help, int64_t us)
{
	head(out, name, type, help);
	buf_printf(out, "%s %.6f\n", name, seconds(us));
}

/* Facts of the whole: the database has them, and every API tells the same. */

/* One row for each column of SQL_METRICS; those of one name stand together. */
static const struct {
	const char *name, *labels, *type, *help;
} counted[] = {
	{ "outdial_webhooks_total", "{outcome=\"taken\"}", "counter", "Webhooks sent, by what came of them. Of the whole." },
	{ "outdial_webhooks_total", "{outcome=\"refused\"}", NULL, NULL },
	{ "outdial_webhooks_total", "{outcome=\"busy\"}", NULL, NULL },
	{ "outdial_webhooks_total", "{outcome=\"fault\"}", NULL, NULL },
	{ "outdial_webhooks_total", "{outcome=\"cut\"}", NULL, NULL },
	{ "outdial_circuits", "{state=\"open\"}", "gauge", "Endpoints that are left alone, or asked with one webhook. Of the whole." },
	{ "outdial_circuits", "{state=\"half_open\"}", NULL, NULL },
	{ "outdial_webhook_endpoints_disabled", "", "gauge", "Endpoints that are switched off. Of the whole." },
	{ "outdial_campaigns_slowed_down", "", "gauge", "Running campaigns whose dialer asked to slow down. Of the whole." },
	{ "outdial_due_contacts", "", "gauge", "Contacts of running campaigns whose time has come, counted up to 100001. Of the whole." },
};

#define COUNTED (sizeof counted / sizeof *counted)

static void write_counted(struct buf *out, const struct db_rows *rows)
{
	for (size_t i = 0; i < COUNTED; i++) {
		if (counted[i].help != NULL)
			head(out, counted[i].name, counted[i].type, counted[i].help);
		buf_printf(out, "%s%s %lld\n", counted[i].name, counted[i].labels, (long long)db_get_int(rows, 0, i));
	}
}

static void write_status(struct buf *out, const struct status *status)
{
	head(out, "outdial_campaigns", "gauge", "Campaigns by status. Of the whole.");
	for (int i = 0; i < BATCH_STATUS__MAX; i++)
		buf_printf(out, "outdial_campaigns{status=\"%s\"} %lld\n", batch_status_names[i],
		           (long long)status->campaigns[i]);
	one(out, "outdial_calls_in_flight", "gauge", "Calls that are placed and have not ended. Of the whole.",
	    status->calls_in_flight);
	head(out, "outdial_deliveries_waiting", "gauge", "Webhooks that wait to be taken. Of the whole.");
	whole(out, "outdial_deliveries_waiting{kind=\"event\"}", status->deliveries_waiting);
	one_in_seconds(out, "outdial_oldest_due_seconds", "gauge",
	               "For how long the oldest work waits that a scheduler could do. Of the whole.",
	               work_waits_us(&status->work, clock_now_us()));
	one(out, "outdial_schedulers", "gauge", "Schedulers that are alive, on all hosts. Of the whole.", status->work.schedulers);
}

/* The latest of each host comes first, and counts. */
static bool is_first_of_host(const struct process *processes, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (processes[k].kind == PROCESS_SCHEDULER && strcmp(processes[k].host, processes[i].host) == 0)
			return false;
	return processes[i].kind == PROCESS_SCHEDULER;
}

static void write_schedulers(struct buf *out, const struct process *processes, size_t count)
{
	int64_t now_us = clock_now_us();

	head(out, "outdial_scheduler_last_seen_seconds", "gauge",
	     "For how long no scheduler of the host gave a sign of life. Of the whole.");
	for (size_t i = 0; i < count; i++)
		if (is_first_of_host(processes, i))
			buf_printf(out, "outdial_scheduler_last_seen_seconds{host=\"%s\"} %.3f\n", processes[i].host,
			           seconds(now_us - processes[i].seen_at_us));
	head(out, "outdial_scheduler_turn_seconds", "gauge",
	     "The longest turn of a scheduler of the host since its sign of life before. Of the whole.");
	for (size_t i = 0; i < count; i++)
		if (is_first_of_host(processes, i))
			buf_printf(out, "outdial_scheduler_turn_seconds{host=\"%s\"} %.6f\n", processes[i].host,
			           seconds(processes[i].turn_us));
}

static enum db_result write_whole(struct request *request, struct buf *out)
{
	struct db_value now = db_instant(clock_now_us());
	const struct process *processes;
	struct status status;
	struct db_rows rows;
	size_t count;

	DB_TRY(db_query(request->db, SQL_METRICS, DB_ARGS(now, now, now), request->arena, &rows));
	DB_TRY(status_read(request->db, &status));
	DB_TRY(processes_read(request->db, request->arena, &processes, &count));
	write_counted(out, &rows);
	write_status(out, &status);
	write_schedulers(out, processes, count);
	return DB_OK;
}

/* Facts of this API: what its processes put on the board. */

static void write_database(struct buf *out)
{
	one(out, "outdial_database_up", "gauge", "1: the database answers.", !outage_is_on());
	one(out, "outdial_database_writable", "gauge", "1: it takes writes.", atomic_load(&board->writable));
	one(out, "outdial_conflicts_total", "counter", "Transactions that met a conflict and ran again.", outage_conflicts());
	one(out, "outdial_connections_lost_total", "counter", "Connections to the database that were lost.", outage_lost());
	head(out, "outdial_clock_offset_seconds", "gauge", "How far the database's clock is ahead of this host's.");
	buf_printf(out, "outdial_clock_offset_seconds %.3f\n", (double)atomic_load(&board->clock_offset_ms) / 1000);
}

static void write_workers(struct buf *out, const struct conf *conf)
{
	int64_t busy = 0;

	for (int64_t i = 0; i < conf->workers; i++)
		busy += atomic_load(&board->workers[i].busy_since_us) != 0;
	head(out, "outdial_workers", "gauge", "Workers by what they do.");
	whole(out, "outdial_workers{state=\"busy\"}", busy);
	whole(out, "outdial_workers{state=\"idle\"}", conf->workers - busy);
	one(out, "outdial_worker_restarts_total", "counter", "Workers that were replaced, for whatever reason.",
	    atomic_load(&board->worker_restarts));
	head(out, "outdial_reports_total", "counter", "Reports on calls that this API was sent, by what came of them.");
	for (int i = 0; i < REPORT_RESULT__MAX; i++)
		buf_printf(out, "outdial_reports_total{result=\"%s\"} %lld\n", report_result_names[i],
		           (long long)atomic_load(&board->reports[i]));
}

static const char *route_label(struct arena *arena, size_t route)
{
	if (route == route_count)
		return "none";
	return arena_printf(arena, "%s %s", method_names[routes[route].method], routes[route].path);
}

static void write_requests(struct buf *out, struct arena *arena)
{
	head(out, "outdial_http_requests_total", "counter", "Requests that were answered, by route and status.");
	for (size_t route = 0; route <= route_count; route++)
		for (int slot = 0; board_status(slot) != 0; slot++) {
			int64_t count = atomic_load(&board->routes[route].by_status[slot]);

			if (count > 0)
				buf_printf(out, "outdial_http_requests_total{route=\"%s\",status=\"%d\"} %lld\n",
				           route_label(arena, route), board_status(slot), (long long)count);
		}
}

static void write_duration(struct buf *out, const char *label, const struct board_route *route)
{
	int64_t sum = 0;

	for (int i = 0; i < BOARD_BUCKETS; i++) {
		sum += atomic_load(&route->buckets[i]);
		if (isinf(board_bucket_seconds[i]))
			buf_printf(out, "outdial_http_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} %lld\n", label,
			           (long long)sum);
		else
			buf_printf(out, "outdial_http_request_seconds_bucket{route=\"%s\",le=\"%g\"} %lld\n", label,
			           board_bucket_seconds[i], (long long)sum);
	}
	buf_printf(out, "outdial_http_request_seconds_sum{route=\"%s\"} %.6f\n", label, seconds(atomic_load(&route->total_us)));
	buf_printf(out, "outdial_http_request_seconds_count{route=\"%s\"} %lld\n", label, (long long)sum);
}

static bool was_asked(const struct board_route *route)
{
	for (int i = 0; i < BOARD_BUCKETS; i++)
		if (atomic_load(&route->buckets[i]) > 0)
			return true;
	return false;
}

static void write_durations(struct buf *out, struct arena *arena)
{
	head(out, "outdial_http_request_seconds", "histogram", "How long requests took, by route.");
	for (size_t route = 0; route <= route_count; route++)
		if (was_asked(&board->routes[route]))
			write_duration(out, route_label(arena, route), &board->routes[route]);
}

static int64_t resident_bytes(void)
{
	long long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lld %lld", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

/* Of the worker that answers: the others are like it. */
static void write_process(struct buf *out)
{
	one(out, "process_resident_memory_bytes", "gauge", "Memory of the worker that answers.", resident_bytes());
	one_in_seconds(out, "process_start_time_seconds", "gauge", "When the API was started, since the epoch.",
	               clock_now_us() - (clock_mono_us() - board->started_at_us));
	head(out, "outdial_build_info", "gauge", "Always 1.");
	buf_printf(out, "outdial_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
}

/* What the database has is left out while it is away. */
enum db_result metrics_get(struct request *request)
{
	struct buf *body = reply_plain(request, "text/plain; version=0.0.4; charset=utf-8");
	enum db_result result = outage_is_on() ? DB_LOST : write_whole(request, body);

	if (result != DB_OK)
		buf_reset(body);
	write_database(body);
	write_workers(body, request->conf);
	write_requests(body, request->arena);
	write_durations(body, request->arena);
	write_process(body);
	return db_is_refusal(result) ? result : DB_OK;
}
