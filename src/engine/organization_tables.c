#include "engine/organization_tables.h"

#include <inttypes.h>
#include <string.h>

/* clang-format off */
#define OF_CAMPAIGN(name) { name, "batch_id", "batch_calls", "id" }
/* clang-format on */

const struct organization_table organization_tables[] = {
	{ .name = "webhook_endpoints" },
	{ "endpoint_health", "endpoint_id", "webhook_endpoints", "id" },
	{ .name = "agents" },
	{ .name = "deleted_agents" },
	{ .name = "phone_numbers" },
	{ "number_paces", "number_id", "phone_numbers", "id" },
	{ .name = "contact_limits" },
	{ .name = "contact_folders" },
	{ .name = "contacts" },
	{ .name = "do_not_call" },
	{ .name = "do_not_call_changes" },
	/* Before the calls: when the time of a copied call has passed, the new cell gives it up and adds to the ledger. */
	{ .name = "ledger" },
	{ .name = "ledger_numbers" },
	{ .name = "ledger_heads" },
	{ .name = "batch_calls" },
	OF_CAMPAIGN("batch_counters"),
	OF_CAMPAIGN("batch_quarters"),
	OF_CAMPAIGN("batch_reasons"),
	OF_CAMPAIGN("batch_numbers"),
	OF_CAMPAIGN("batch_pressure"),
	OF_CAMPAIGN("batch_zones"),
	OF_CAMPAIGN("batch_contacts"),
	OF_CAMPAIGN("unplanned_contacts"),
	OF_CAMPAIGN("due_contacts"),
	OF_CAMPAIGN("callbacks"),
	{ .name = "calls" },
	{ "call_tries", "call_id", "calls", "id" },
	{ .name = "single_calls" },
	{ .name = "events" },
	{ "deliveries", "event_id", "events", "id" },
	{ "delivery_tries", "delivery_id", "deliveries", "id" },
	{ .name = "idempotency_keys" },
	{ .name = "audit_log" },
};
const size_t organization_table_count = sizeof organization_tables / sizeof *organization_tables;

const char *const organization_id_tables[] = {
	"organizations",
	"api_keys",
	"webhook_endpoints",
	"agents",
	"phone_numbers",
	"contact_folders",
	"contacts",
	"do_not_call_changes",
	"batch_calls",
	"events",
	"deliveries",
	"audit_log",
	NULL,
};

static const struct {
	const char *column, *ids;
} references[] = {
	{ "organization_id", "organizations" },
	{ "key_id", "api_keys" },
	{ "parent_id", "api_keys" },
	{ "webhook_id", "webhook_endpoints" },
	{ "endpoint_id", "webhook_endpoints" },
	{ "queue", "webhook_endpoints" },
	{ "agent_id", "agents" },
	{ "inbound_agent_id", "agents" },
	{ "outbound_agent_id", "agents" },
	{ "number_id", "phone_numbers" },
	{ "folder_id", "contact_folders" },
	{ "batch_id", "batch_calls" },
	{ "event_id", "events" },
	{ "delivery_id", "deliveries" },
	{ "sync_delivery_id", "deliveries" },
};

const struct organization_table *organization_table_find(const char *name)
{
	for (size_t i = 0; i < organization_table_count; i++)
		if (strcmp(organization_tables[i].name, name) == 0)
			return &organization_tables[i];
	return NULL;
}

const char *organization_id_column(const char *table, const char *column)
{
	if (strcmp(column, "id") == 0) {
		if (strcmp(table, "deleted_agents") == 0)
			return "agents";
		for (size_t i = 0; organization_id_tables[i] != NULL; i++)
			if (strcmp(organization_id_tables[i], table) == 0)
				return table;
		return NULL; /* ids of calls are public */
	}
	for (size_t i = 0; i < sizeof references / sizeof *references; i++)
		if (strcmp(references[i].column, column) == 0)
			return references[i].ids;
	return NULL;
}

static const char *write_joins(struct buf *out, const struct organization_table *table)
{
	const char *top = table->name;

	if (table->parent == NULL) {
		buf_printf(out, " FROM %s", table->name);
		return top;
	}
	top = write_joins(out, organization_table_find(table->parent));
	buf_printf(out, " STRAIGHT_JOIN %s ON %s.%s = %s.%s", table->name, table->name, table->key, table->parent,
	           table->parent_key);
	return top;
}

void organization_table_from(struct buf *out, const struct organization_table *table, int64_t organization_id)
{
	const char *top = write_joins(out, table);

	buf_printf(out, " WHERE %s.organization_id = %" PRId64, top, organization_id);
}
