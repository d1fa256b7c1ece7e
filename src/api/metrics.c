#include "api/metrics.h"

#include "api/reply.h"
#include "base/clock.h"
#include "store/statements.h"

/* One row for each column of SQL_METRICS; those of one name stand together. */
static const struct {
	const char *name, *labels, *type, *help;
} metrics[] = {
	{ "outdial_webhooks_total", "{outcome=\"taken\"}", "counter", "Webhooks sent, by what came of them." },
	{ "outdial_webhooks_total", "{outcome=\"refused\"}", NULL, NULL },
	{ "outdial_webhooks_total", "{outcome=\"busy\"}", NULL, NULL },
	{ "outdial_webhooks_total", "{outcome=\"fault\"}", NULL, NULL },
	{ "outdial_webhooks_total", "{outcome=\"cut\"}", NULL, NULL },
	{ "outdial_circuits", "{state=\"open\"}", "gauge", "Endpoints that are left alone, or asked with one webhook." },
	{ "outdial_circuits", "{state=\"half_open\"}", NULL, NULL },
	{ "outdial_webhook_endpoints_disabled", "", "gauge", "Endpoints that are switched off." },
	{ "outdial_campaigns_slowed_down", "", "gauge", "Running campaigns whose dialer asked to slow down." },
};

#define METRIC_COUNT (sizeof metrics / sizeof *metrics)

enum db_result metrics_get(struct request *request)
{
	struct db_value now = db_instant(clock_now_us());
	struct db_rows rows;
	struct buf *body;

	DB_TRY(db_query(request->db, SQL_METRICS, DB_ARGS(now, now), request->arena, &rows));
	body = reply_plain(request, "text/plain; version=0.0.4; charset=utf-8");
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		if (metrics[i].help != NULL)
			buf_printf(body, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help, metrics[i].name,
			           metrics[i].type);
		buf_printf(body, "%s%s %lld\n", metrics[i].name, metrics[i].labels, (long long)db_get_int(&rows, 0, i));
	}
	return DB_OK;
}
