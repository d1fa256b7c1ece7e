/* The route table: every address of the API. Reads require the scope `read`, and changes require `write`. What dialers
 * send and fetch requires `reports`. Keys, the audit log, the data of a person and a change of the organisation require
 * `admin`. Every key may ask about itself, revoke itself, and create a session. */
#include "api/agents.h"
#include "api/analytics.h"
#include "api/audit.h"
#include "api/batch_calls.h"
#include "api/batch_contacts.h"
#include "api/calling_hours.h"
#include "api/calls.h"
#include "api/contacts.h"
#include "api/deliveries.h"
#include "api/do_not_call.h"
#include "api/dispatches.h"
#include "api/explain.h"
#include "api/keys.h"
#include "api/ledger.h"
#include "api/folders.h"
#include "api/forecast.h"
#include "api/imports.h"
#include "api/metrics.h"
#include "api/numbers.h"
#include "api/organization.h"
#include "api/overview.h"
#include "api/page.h"
#include "api/people.h"
#include "api/results.h"
#include "api/route.h"
#include "api/service.h"
#include "api/webhooks.h"
#include "domain/batch.h"
#include "domain/contact.h"
#include "domain/contact_limit.h"
#include "domain/report_fields.h"

#define V1 "/api/public/v1"

/* Most rows have neither flags nor an action, and leave them out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

const struct route routes[] = {
	{ METHOD_GET, V1 "/webhooks", SCOPE_READ, &page_fields, NULL, 0, webhooks_list },
	{ METHOD_POST, V1 "/webhooks", SCOPE_WRITE, NULL, &webhook_fields, KIB(64), webhooks_create,
	  AUDITED(WEBHOOK, CREATED) },
	{ METHOD_GET, V1 "/webhooks/<id>", SCOPE_READ, NULL, NULL, 0, webhooks_get },
	{ METHOD_PATCH, V1 "/webhooks/<id>", SCOPE_WRITE, NULL, &webhook_fields, KIB(64), webhooks_change,
	  AUDITED(WEBHOOK, CHANGED) },
	{ METHOD_DELETE, V1 "/webhooks/<id>", SCOPE_WRITE, NULL, NULL, 0, webhooks_delete, AUDITED(WEBHOOK, DELETED) },
	{ METHOD_POST, V1 "/webhooks/<id>/rotate-secret", SCOPE_WRITE, NULL, &rotate_secret_fields, KIB(64),
	  webhooks_rotate_secret, AUDITED(WEBHOOK, SECRET_RENEWED) },
	{ METHOD_POST, V1 "/webhooks/<id>/test", SCOPE_WRITE, NULL, &no_fields, KIB(64), webhooks_test,
	  AUDITED(WEBHOOK, TESTED) },
	{ METHOD_POST, V1 "/webhooks/<id>/redeliver", SCOPE_WRITE, NULL, &redeliver_fields, KIB(64), webhooks_redeliver,
	  AUDITED(WEBHOOK, SENT_AGAIN) },
	{ METHOD_GET, V1 "/webhooks/<id>/deliveries", SCOPE_READ, &deliveries_query, NULL, 0, deliveries_list,
	  ROUTE_APART },
	{ METHOD_GET, V1 "/webhooks/deliveries", SCOPE_READ, &deliveries_query, NULL, 0, deliveries_list_all, ROUTE_APART },
	{ METHOD_GET, V1 "/webhooks/deliveries/<id>", SCOPE_READ, NULL, NULL, 0, deliveries_get },
	{ METHOD_POST, V1 "/webhooks/deliveries/<id>/redeliver", SCOPE_WRITE, NULL, &no_fields, KIB(64),
	  deliveries_redeliver, AUDITED(DELIVERY, SENT_AGAIN) },

	{ METHOD_GET, V1 "/agents", SCOPE_READ, &agent_query_fields, NULL, 0, agents_list },
	{ METHOD_POST, V1 "/agents", SCOPE_WRITE, NULL, &agent_fields, MIB(2), agents_create, AUDITED(AGENT, CREATED) },
	{ METHOD_GET, V1 "/agents/<id>", SCOPE_READ, NULL, NULL, 0, agents_get },
	{ METHOD_PATCH, V1 "/agents/<id>", SCOPE_WRITE, NULL, &agent_fields, MIB(2), agents_change,
	  AUDITED(AGENT, CHANGED) },
	{ METHOD_DELETE, V1 "/agents/<id>", SCOPE_WRITE, NULL, NULL, 0, agents_delete, AUDITED(AGENT, DELETED) },
	{ METHOD_POST, V1 "/agents/<id>/sync", SCOPE_WRITE, NULL, &no_fields, KIB(64), agents_sync,
	  AUDITED(AGENT, SYNCED) },
	{ METHOD_POST, V1 "/agents/<id>/test-call", SCOPE_WRITE, NULL, &test_call_fields, KIB(256), calls_test_agent,
	  AUDITED(CALL, CREATED) },

	{ METHOD_GET, V1 "/telephony/numbers", SCOPE_READ, &numbers_query, NULL, 0, numbers_list },
	{ METHOD_POST, V1 "/telephony/numbers/import", SCOPE_WRITE, NULL, &number_fields, KIB(64), numbers_import,
	  AUDITED(NUMBER, CREATED) },
	{ METHOD_POST, V1 "/telephony/numbers/assign", SCOPE_WRITE, NULL, &assign_fields, KIB(64), numbers_assign,
	  AUDITED(NUMBER, ASSIGNED) },
	{ METHOD_POST, V1 "/telephony/numbers/unassign", SCOPE_WRITE, NULL, &unassign_fields, KIB(64), numbers_unassign,
	  AUDITED(NUMBER, UNASSIGNED) },
	{ METHOD_GET, V1 "/telephony/numbers/<id>", SCOPE_READ, NULL, NULL, 0, numbers_get },
	{ METHOD_GET, V1 "/telephony/numbers/<id>/analytics", SCOPE_READ, &number_analytics_query, NULL, 0,
	  numbers_analytics, ROUTE_APART },
	{ METHOD_PATCH, V1 "/telephony/numbers/<id>", SCOPE_WRITE, NULL, &number_fields, KIB(64), numbers_change,
	  AUDITED(NUMBER, CHANGED) },
	{ METHOD_DELETE, V1 "/telephony/numbers/<id>", SCOPE_WRITE, NULL, NULL, 0, numbers_delete,
	  AUDITED(NUMBER, DELETED) },

	{ METHOD_GET, V1 "/contacts/folders", SCOPE_READ, &folder_query_fields, NULL, 0, folders_list, ROUTE_APART },
	{ METHOD_POST, V1 "/contacts/folders", SCOPE_WRITE, NULL, &contact_folder_fields, KIB(64), folders_create,
	  AUDITED(FOLDER, CREATED) },
	{ METHOD_GET, V1 "/contacts/folders/<id>", SCOPE_READ, NULL, NULL, 0, folders_get },
	{ METHOD_PATCH, V1 "/contacts/folders/<id>", SCOPE_WRITE, NULL, &contact_folder_fields, KIB(64), folders_change,
	  AUDITED(FOLDER, CHANGED) },
	{ METHOD_DELETE, V1 "/contacts/folders/<id>", SCOPE_WRITE, NULL, NULL, 0, folders_delete,
	  AUDITED(FOLDER, DELETED) },
	{ METHOD_GET, V1 "/contacts", SCOPE_READ, &contact_query_fields, NULL, 0, contacts_list, ROUTE_APART },
	{ METHOD_POST, V1 "/contacts", SCOPE_WRITE, NULL, &contact_fields, KIB(256), contacts_create,
	  AUDITED(CONTACT, CREATED) },
	{ METHOD_POST, V1 "/contacts/import", SCOPE_WRITE, &import_fields, NULL, MIB(64), imports_to_folder,
	  ROUTE_STREAM | ROUTE_AUDITED_BELOW },
	{ METHOD_GET, V1 "/contacts/<id>", SCOPE_READ, NULL, NULL, 0, contacts_get },
	{ METHOD_PATCH, V1 "/contacts/<id>", SCOPE_WRITE, NULL, &contact_fields, KIB(256), contacts_change,
	  AUDITED(CONTACT, CHANGED) },
	{ METHOD_DELETE, V1 "/contacts/<id>", SCOPE_WRITE, NULL, NULL, 0, contacts_delete, AUDITED(CONTACT, DELETED) },

	{ METHOD_GET, V1 "/batch-calls", SCOPE_READ, &batch_calls_query, NULL, 0, batch_calls_list, ROUTE_APART },
	{ METHOD_POST, V1 "/batch-calls", SCOPE_WRITE, NULL, &batch_fields, MIB(16), batch_calls_create,
	  ROUTE_AUDITED_BELOW },
	{ METHOD_GET, V1 "/batch-calls/<id>", SCOPE_READ, &batch_call_query, NULL, 0, batch_calls_get },
	{ METHOD_PATCH, V1 "/batch-calls/<id>", SCOPE_WRITE, NULL, &batch_fields, MIB(1), batch_calls_act,
	  ROUTE_AUDITED_BELOW, BATCH_CHANGE },
	{ METHOD_DELETE, V1 "/batch-calls/<id>", SCOPE_WRITE, NULL, NULL, 0, batch_calls_act, ROUTE_AUDITED_BELOW,
	  BATCH_DELETE },
	{ METHOD_POST, V1 "/batch-calls/<id>/schedule", SCOPE_WRITE, NULL, &schedule_fields, KIB(64), batch_calls_act,
	  ROUTE_AUDITED_BELOW, BATCH_SCHEDULE },
	{ METHOD_POST, V1 "/batch-calls/<id>/pause", SCOPE_WRITE, NULL, &no_fields, KIB(64), batch_calls_act,
	  ROUTE_AUDITED_BELOW, BATCH_PAUSE },
	{ METHOD_POST, V1 "/batch-calls/<id>/resume", SCOPE_WRITE, NULL, &no_fields, KIB(64), batch_calls_act,
	  ROUTE_AUDITED_BELOW, BATCH_RESUME },
	{ METHOD_POST, V1 "/batch-calls/<id>/cancel", SCOPE_WRITE, NULL, &no_fields, KIB(64), batch_calls_act,
	  ROUTE_AUDITED_BELOW, BATCH_CANCEL },
	{ METHOD_POST, V1 "/batch-calls/<id>/preview", SCOPE_READ, NULL, &preview_fields, MIB(1), batch_calls_preview,
	  ROUTE_UNAUDITED },
	{ METHOD_GET, V1 "/batch-calls/<id>/history", SCOPE_READ, &page_fields, NULL, 0, batch_calls_history, ROUTE_APART },
	{ METHOD_GET, V1 "/batch-calls/<id>/analytics", SCOPE_READ, &analytics_query, NULL, 0, batch_analytics,
	  ROUTE_APART },
	{ METHOD_GET, V1 "/batch-calls/<id>/results.csv", SCOPE_READ, &results_query, NULL, 0, batch_results },
	{ METHOD_POST, V1 "/batch-calls/<id>/results-link", SCOPE_READ, NULL, &results_link_fields, KIB(64),
	  batch_results_link, AUDITED(CAMPAIGN, LINKED) },
	{ METHOD_GET, V1 "/results.csv", ROUTE_PUBLIC, &results_link_query, NULL, 0, results_by_link },
	{ METHOD_POST, V1 "/batch-calls/bulk-delete", SCOPE_WRITE, NULL, &bulk_delete_fields, KIB(64),
	  batch_calls_bulk_delete, ROUTE_AUDITED_BELOW },
	{ METHOD_GET, V1 "/batch-calls/<id>/contacts", SCOPE_READ, &batch_contacts_query, NULL, 0, batch_contacts_page,
	  ROUTE_APART },
	{ METHOD_POST, V1 "/batch-calls/<id>/contacts", SCOPE_WRITE, NULL, &contacts_fields, MIB(16), batch_contacts_append,
	  AUDITED(CAMPAIGN, ADDED) },
	{ METHOD_POST, V1 "/batch-calls/<id>/contacts/import", SCOPE_WRITE, &batch_import_fields, NULL, MIB(64),
	  imports_to_batch, ROUTE_STREAM | ROUTE_AUDITED_BELOW },
	{ METHOD_DELETE, V1 "/batch-calls/<id>/contacts", SCOPE_WRITE, NULL, NULL, 0, batch_contacts_remove_all,
	  AUDITED(CAMPAIGN, REMOVED) },
	{ METHOD_GET, V1 "/batch-calls/<id>/contacts/<position>", SCOPE_READ, NULL, NULL, 0, batch_contacts_get },
	{ METHOD_DELETE, V1 "/batch-calls/<id>/contacts/<position>", SCOPE_WRITE, NULL, NULL, 0, batch_contacts_remove,
	  AUDITED(CAMPAIGN, REMOVED) },
	{ METHOD_GET, V1 "/batch-calls/<id>/contacts/<position>/why", SCOPE_READ, NULL, NULL, 0, batch_contacts_why },
	{ METHOD_GET, V1 "/batch-calls/<id>/why", SCOPE_READ, NULL, NULL, 0, batch_calls_why },

	{ METHOD_GET, V1 "/calls", SCOPE_READ, &calls_query, NULL, 0, calls_list, ROUTE_APART },
	{ METHOD_POST, V1 "/calls", SCOPE_WRITE, NULL, &single_call_fields, KIB(256), calls_create,
	  AUDITED(CALL, CREATED) },
	{ METHOD_GET, V1 "/calls/<id>", SCOPE_READ, NULL, NULL, 0, calls_get },
	{ METHOD_GET, V1 "/calls/<id>/tries", SCOPE_READ, NULL, NULL, 0, calls_tries },
	{ METHOD_POST, V1 "/calls/<id>/cancel", SCOPE_WRITE, NULL, &no_fields, KIB(64), calls_cancel,
	  AUDITED(CALL, CANCELLED) },
	{ METHOD_POST, V1 "/calls/status", SCOPE_REPORTS, NULL, &bulk_report_fields, MIB(4), calls_report_bulk,
	  ROUTE_DIALER | ROUTE_UNAUDITED },
	{ METHOD_POST, V1 "/calls/<id>/status", SCOPE_REPORTS, NULL, &report_fields, KIB(256), calls_report,
	  ROUTE_DIALER | ROUTE_UNAUDITED },

	{ METHOD_POST, V1 "/dispatches/claim", SCOPE_REPORTS, NULL, &fetch_fields, KIB(64), dispatches_claim,
	  ROUTE_WAITS | ROUTE_UNAUDITED },

	{ METHOD_GET, V1 "/do-not-call", SCOPE_READ, &do_not_call_query, NULL, 0, do_not_call_page, ROUTE_APART },
	{ METHOD_POST, V1 "/do-not-call", SCOPE_WRITE, NULL, &do_not_call_fields, MIB(1), do_not_call_append,
	  AUDITED(DO_NOT_CALL, ADDED) },
	{ METHOD_POST, V1 "/do-not-call/import", SCOPE_WRITE, &suppression_import_fields, NULL, MIB(64),
	  imports_to_do_not_call, ROUTE_STREAM | ROUTE_AUDITED_BELOW },
	{ METHOD_DELETE, V1 "/do-not-call/<phone>", SCOPE_WRITE, NULL, NULL, 0, do_not_call_delete,
	  AUDITED(DO_NOT_CALL, REMOVED) },

	{ METHOD_GET, V1 "/ledger", SCOPE_READ, &ledger_query, NULL, 0, ledger_page },
	{ METHOD_GET, V1 "/ledger.csv", SCOPE_READ, &ledger_csv_query, NULL, 0, ledger_csv },
	{ METHOD_GET, V1 "/ledger.jsonl", SCOPE_READ, &ledger_export_query, NULL, 0, ledger_proof },

	{ METHOD_GET, V1 "/overview", SCOPE_READ, &overview_query, NULL, 0, overview_show, ROUTE_APART },
	{ METHOD_GET, V1 "/calling-hours-presets", SCOPE_READ, NULL, NULL, 0, calling_hours_list },
	{ METHOD_GET, V1 "/organization", SCOPE_READ, NULL, NULL, 0, organization_show },
	{ METHOD_PATCH, V1 "/organization", SCOPE_ADMIN, NULL, &organization_fields, KIB(64), organization_change,
	  AUDITED(ORGANIZATION, CHANGED) },

	{ METHOD_GET, V1 "/people/<phone>", SCOPE_ADMIN, NULL, NULL, 0, people_export },
	{ METHOD_DELETE, V1 "/people/<phone>", SCOPE_ADMIN, NULL, NULL, 0, people_erase, AUDITED(PERSON, ERASED) },
	{ METHOD_GET, V1 "/audit-log", SCOPE_ADMIN, &audit_query, NULL, 0, audit_list_all, ROUTE_APART },

	{ METHOD_GET, V1 "/keys", SCOPE_ADMIN, &page_fields, NULL, 0, keys_list },
	{ METHOD_POST, V1 "/keys", SCOPE_ADMIN, NULL, &key_fields, KIB(64), keys_create, AUDITED(KEY, CREATED) },
	{ METHOD_DELETE, V1 "/keys/<id>", SCOPE_ADMIN, NULL, NULL, 0, keys_revoke, AUDITED(KEY, REVOKED) },
	{ METHOD_POST, V1 "/keys/session", ROUTE_ANY_KEY, NULL, &session_fields, KIB(64), keys_create_session,
	  AUDITED(KEY, CREATED) },
	{ METHOD_GET, V1 "/keys/current", ROUTE_ANY_KEY, NULL, NULL, 0, keys_get_current },
	{ METHOD_DELETE, V1 "/keys/current", ROUTE_ANY_KEY, NULL, NULL, 0, keys_revoke_current, AUDITED(KEY, REVOKED) },

	{ METHOD_GET, V1 "/openapi.json", ROUTE_PUBLIC, NULL, NULL, 0, service_openapi },
	{ METHOD_GET, "/healthz", ROUTE_PUBLIC, NULL, NULL, 0, service_healthz },
	{ METHOD_GET, "/readyz", ROUTE_PUBLIC, NULL, NULL, 0, service_readyz },
	{ METHOD_GET, "/metrics", ROUTE_PUBLIC, NULL, NULL, 0, metrics_get },
};

const size_t route_count = sizeof routes / sizeof *routes;
