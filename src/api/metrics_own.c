#include "api/metrics_own.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/board.h"
#include "api/exposition.h"
#include "api/prefork.h"
#include "api/replica.h"
#include "api/route.h"
#include "base/clock.h"
#include "engine/report.h"
#include "store/outage.h"

static void write_database(struct buf *out)
{
	exposition_one(out, "outdial_database_up", "gauge", "1: the database answers.", !outage_is_on());
	exposition_one(out, "outdial_database_writable", "gauge", "1 if it takes writes.", atomic_load(&board->writable));
	exposition_one(out, "outdial_conflicts_total", "counter", "Transactions that met a conflict and ran again.",
	               outage_conflicts());
	exposition_one(out, "outdial_connections_lost_total", "counter", "Connections to the database that were lost.",
	               outage_lost());
	exposition_one(out, "outdial_database_moves_total", "counter",
	               "How often the writes moved to another host of the list.", outage_moves());
	exposition_seconds(out, "outdial_database_move_seconds", "gauge", "How long the last of these moves took.",
	                   outage_move_us());
	exposition_seconds(out, "outdial_clock_offset_seconds", "gauge",
	                   "How far the database's clock is ahead of this host's.",
	                   atomic_load(&board->clock_offset_ms) * US_PER_MS);
}

static void write_reads(struct buf *out)
{
	int64_t lag_us = replica_lag_us();

	exposition_one(out, "outdial_replica_usable", "gauge", "1: the replica answers reads.", lag_us >= 0);
	exposition_seconds(out, "outdial_replica_lag_seconds", "gauge",
	                   "How late the replica is, at most. 0 while it does not answer.", lag_us < 0 ? 0 : lag_us);
	exposition_head(out, "outdial_reads_total", "counter",
	                "Reads that a replica may answer, by the database that answered.");
	buf_printf(out, "outdial_reads_total{by=\"writer\"} %lld\n", (long long)atomic_load(&board->reads_by_writer));
	buf_printf(out, "outdial_reads_total{by=\"replica\"} %lld\n", (long long)atomic_load(&board->reads_by_replica));
}

static void write_workers(struct buf *out, const struct conf *conf)
{
	int64_t busy = 0;

	for (int64_t i = 0; i < conf->workers; i++)
		busy += atomic_load(&board->workers[i].busy_since_us) != 0;
	exposition_head(out, "outdial_workers", "gauge", "Workers by their state.");
	buf_printf(out, "outdial_workers{state=\"busy\"} %lld\n", (long long)busy);
	buf_printf(out, "outdial_workers{state=\"idle\"} %lld\n", (long long)(conf->workers - busy));
	exposition_one(out, "outdial_worker_restarts_total", "counter", "Workers that were replaced.",
	               atomic_load(&board->worker_restarts));
	exposition_head(out, "outdial_reports_total", "counter", "Reports on calls to this API, by result.");
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
	exposition_head(out, "outdial_http_requests_total", "counter", "Requests that were answered, by route and status.");
	for (size_t route = 0; route <= route_count; route++)
		for (int slot = 0; board_status(slot) != 0; slot++) {
			int64_t count = atomic_load(&board->routes[route].by_status[slot]);

			if (count > 0)
				buf_printf(out, "outdial_http_requests_total{route=\"%s\",status=\"%d\"} %lld\n",
				           route_label(arena, route), board_status(slot), (long long)count);
		}
}

static void write_duration(struct buf *out, struct arena *arena, size_t route)
{
	const struct board_route *asked = &board->routes[route];
	int64_t buckets[HISTOGRAM_BUCKETS], any = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		any |= buckets[i] = atomic_load(&asked->buckets[i]);
	if (any != 0)
		exposition_histogram(out, "outdial_http_request_seconds",
		                     arena_printf(arena, "route=\"%s\"", route_label(arena, route)), buckets,
		                     atomic_load(&asked->total_us));
}

static void write_durations(struct buf *out, struct arena *arena)
{
	exposition_head(out, "outdial_http_request_seconds", "histogram", "How long requests took, by route.");
	for (size_t route = 0; route <= route_count; route++)
		write_duration(out, arena, route);
}

/* The resources that the processes use. */
struct usage {
	int64_t cpu_ticks, resident_pages, open_files;
};

static void add_memory(pid_t pid, struct usage *usage)
{
	long long size = 0, resident = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return;
	if (fscanf(file, "%lld %lld", &size, &resident) == 2)
		usage->resident_pages += resident;
	fclose(file);
}

/* The 14th to 17th value of the line: its own time, and that of its children that have ended. */
static void add_cpu(pid_t pid, struct usage *usage)
{
	long long user = 0, system = 0, ended_user = 0, ended_system = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return;
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld", &user, &system,
	           &ended_user, &ended_system) == 4)
		usage->cpu_ticks += user + system + ended_user + ended_system;
	fclose(file);
}

static void add_files(pid_t pid, struct usage *usage)
{
	char path[64];
	DIR *folder;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	if (folder == NULL)
		return;
	for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
		usage->open_files += entry->d_name[0] != '.';
	closedir(folder);
}

static void add_process(pid_t pid, struct usage *usage)
{
	if (pid <= 0)
		return;
	add_memory(pid, usage);
	add_cpu(pid, usage);
	add_files(pid, usage);
}

/* The figures of the master and its children together, so it does not matter which worker answers. */
static struct usage own_usage(const struct conf *conf)
{
	struct usage usage = { 0 };

	add_process(getppid(), &usage);
	for (int i = 0; i <= prefork_replica(conf); i++)
		add_process((pid_t)atomic_load(&board->workers[i].pid), &usage);
	return usage;
}

static void write_processes(struct buf *out, const struct conf *conf)
{
	struct usage usage = own_usage(conf);
	struct rlimit files = { 0 };

	getrlimit(RLIMIT_NOFILE, &files);
	exposition_head(out, "process_cpu_seconds_total", "counter", "CPU time of all processes of this API.");
	buf_printf(out, "process_cpu_seconds_total %.2f\n", (double)usage.cpu_ticks / (double)sysconf(_SC_CLK_TCK));
	exposition_one(out, "process_resident_memory_bytes", "gauge",
	               "Memory of all processes of this API. What they share is counted for each.",
	               usage.resident_pages * sysconf(_SC_PAGESIZE));
	exposition_one(out, "process_open_fds", "gauge", "Open files of all processes of this API.", usage.open_files);
	exposition_one(out, "process_max_fds", "gauge", "The most open files of a process.", (int64_t)files.rlim_cur);
	exposition_seconds(out, "process_start_time_seconds", "gauge", "When this API was started, since the epoch.",
	                   clock_now_us() - (clock_mono_us() - board->started_at_us));
	exposition_head(out, "outdial_build_info", "gauge", "Always 1.");
	buf_printf(out, "outdial_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
}

void metrics_write_own(struct buf *out, struct request *request)
{
	write_database(out);
	write_reads(out);
	write_workers(out, request->conf);
	write_requests(out, request->arena);
	write_durations(out, request->arena);
	write_processes(out, request->conf);
}
