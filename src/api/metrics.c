#include "api/metrics.h"

#include <string.h>

#include "api/exposition.h"
#include "api/metrics_own.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/instant.h"
#include "domain/batch.h"
#include "domain/call.h"
#include "domain/health.h"
#include "store/constants.h"
#include "store/figures.h"
#include "store/outage.h"
#include "store/process_store.h"
#include "store/status.h"

/* Figures of the whole installation: they come from the database, so every API reports the same. */

static void write_troubles(struct buf *out, const struct troubles *troubles)
{
	exposition_head(out, "outdial_circuits", "gauge", "Endpoints whose circuit is open or half open. Of the whole.");
	buf_printf(out, "outdial_circuits{state=\"open\"} %lld\n", (long long)troubles->circuits_open);
	buf_printf(out, "outdial_circuits{state=\"half_open\"} %lld\n", (long long)troubles->circuits_half_open);
	exposition_one(out, "outdial_webhook_endpoints_disabled", "gauge", "Endpoints that are switched off. Of the whole.",
	               troubles->endpoints_disabled);
	exposition_one(out, "outdial_campaigns_slowed_down", "gauge",
	               "Running campaigns whose dialer asked to slow down. Of the whole.", troubles->campaigns_slowed_down);
	exposition_one(out, "outdial_due_contacts", "gauge",
	               "Contacts of running campaigns whose time has come, "
	               "counted up to " LITERAL(METRICS_COUNTED_ROWS) ". Of the whole.",
	               troubles->due_contacts);
}

static void write_status(struct buf *out, const struct status *status)
{
	exposition_head(out, "outdial_campaigns", "gauge", "Campaigns by status. Of the whole.");
	for (int i = 0; i < BATCH_STATUS__MAX; i++)
		buf_printf(out, "outdial_campaigns{status=\"%s\"} %lld\n", batch_status_names[i],
		           (long long)status->campaigns[i]);
	exposition_one(out, "outdial_calls_in_flight", "gauge", "Calls that are placed and have not ended. Of the whole.",
	               status->calls_in_flight);
	exposition_head(out, "outdial_deliveries_waiting", "gauge", "Deliveries that wait. Of the whole.");
	buf_printf(out, "outdial_deliveries_waiting{kind=\"event\"} %lld\n", (long long)status->deliveries_waiting);
	exposition_seconds(out, "outdial_oldest_due_seconds", "gauge",
	                   "How long the oldest work that a scheduler could do has waited. Of the whole.",
	                   work_waits_us(&status->work, clock_now_us()));
	exposition_one(out, "outdial_schedulers", "gauge", "Schedulers that are alive, on all hosts. Of the whole.",
	               status->work.schedulers);
}

static void write_oldest_delivery(struct buf *out, int64_t happened_at_us)
{
	int64_t now_us = clock_now_us();

	exposition_seconds(out, "outdial_oldest_delivery_seconds", "gauge",
	                   "The age of the oldest event that waits for an endpoint that is switched on. Of the whole.",
	                   happened_at_us < now_us ? now_us - happened_at_us : 0);
}

/* The latest process of each host comes first. Only this process is reported. */
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

	exposition_head(out, "outdial_scheduler_last_seen_seconds", "gauge",
	                "The time since the latest sign of life of a scheduler of the host. Of the whole.");
	for (size_t i = 0; i < count; i++)
		if (is_first_of_host(processes, i))
			buf_printf(out, "outdial_scheduler_last_seen_seconds{host=\"%s\"} %.3f\n", processes[i].host,
			           exposition_in_seconds(now_us - processes[i].seen_at_us));
	exposition_head(out, "outdial_scheduler_turn_seconds", "gauge",
	                "The longest turn of a scheduler of the host between its latest two signs of life. Of the whole.");
	for (size_t i = 0; i < count; i++)
		if (is_first_of_host(processes, i))
			buf_printf(out, "outdial_scheduler_turn_seconds{host=\"%s\"} %.6f\n", processes[i].host,
			           exposition_in_seconds(processes[i].turn_us));
}

/* The counters of all processes (store/figures.h). */

static const char *const kind_labels[FIGURE_SERIES] = { "kind=\"call\"", "kind=\"event\"" }; /* enum deliver_kind */
static const char *const program_labels[FIGURE_SERIES] = { "program=\"api\"", "program=\"scheduler\"" };

static void write_histogram(struct buf *out, const struct figures *figures, enum figure figure, const char *name,
                            const char *help, const char *const labels[FIGURE_SERIES])
{
	exposition_head(out, name, "histogram", help);
	for (int series = 0; series < FIGURE_SERIES; series++)
		exposition_histogram(out, name, labels[series], figures->counted[figure][series],
		                     figures->counted[figure][series][FIGURE_SUM]);
}

static void write_figures(struct buf *out, const struct figures *figures)
{
	exposition_head(out, "outdial_calls_total", "counter", "Calls that ended, by how they ended. Of the whole.");
	for (enum call_status status = 0; status < CALL_STATUS__MAX; status++)
		if (call_has_ended(status))
			buf_printf(out, "outdial_calls_total{status=\"%s\"} %lld\n", call_status_names[status],
			           (long long)figures->counted[FIGURE_CALLS][0][status]);
	exposition_one(out, "outdial_retries_total", "counter",
	               "Retries that were planned for calls that ended. Of the whole.",
	               figures->counted[FIGURE_RETRIES][0][0]);
	exposition_head(out, "outdial_webhooks_total", "counter", "Webhooks sent, by their outcome. Of the whole.");
	for (int kind = 0; kind < FIGURE_SERIES; kind++)
		for (int outcome = 0; outcome < OUTCOME__MAX; outcome++)
			buf_printf(out, "outdial_webhooks_total{%s,outcome=\"%s\"} %lld\n", kind_labels[kind],
			           outcome_names[outcome], (long long)figures->counted[FIGURE_WEBHOOKS][kind][outcome]);
	write_histogram(out, figures, FIGURE_WEBHOOK_SECONDS, "outdial_webhook_seconds",
	                "How long webhooks took until they were answered or given up. Of the whole.", kind_labels);
	exposition_head(out, "outdial_dispatch_lag_seconds", "histogram",
	                "How late calls begin: from the instant that the rules allow to the request. Of the whole.");
	exposition_histogram(out, "outdial_dispatch_lag_seconds", "", figures->counted[FIGURE_DISPATCH_LAG][0],
	                     figures->counted[FIGURE_DISPATCH_LAG][0][FIGURE_SUM]);
	write_histogram(out, figures, FIGURE_TRANSACTION_SECONDS, "outdial_transaction_seconds",
	                "How long transactions took, with all their runs. Of the whole.", program_labels);
}

static enum db_result write_whole(struct request *request, struct buf *out)
{
	struct figures *figures = arena_alloc(request->arena, sizeof *figures);
	const struct process *processes;
	struct troubles troubles;
	int64_t oldest_delivery_us;
	struct status status;
	size_t count;

	DB_TRY(troubles_read(request->db, &troubles));
	DB_TRY(status_read(request->db, &status));
	DB_TRY(oldest_delivery_read(request->db, &oldest_delivery_us));
	DB_TRY(processes_read(request->db, request->arena, &processes, &count));
	DB_TRY(figures_read(request->db, request->arena, figures));
	write_troubles(out, &troubles);
	write_status(out, &status);
	write_oldest_delivery(out, oldest_delivery_us);
	write_schedulers(out, processes, count);
	write_figures(out, figures);
	return DB_OK;
}

/* The figures of the database are left out while it is away. */
enum db_result metrics_get(struct request *request)
{
	struct buf *body = reply_plain(request, "text/plain; version=0.0.4; charset=utf-8");
	enum db_result result = outage_is_on() ? DB_LOST : write_whole(request, body);

	if (result != DB_OK)
		buf_reset(body);
	metrics_write_own(body, request);
	return db_is_refusal(result) ? result : DB_OK;
}
