#include "api/organization.h"

#include "api/audit.h"
#include "api/reply.h"
#include "base/clock.h"
#include "domain/calling_hours.h"
#include "store/organization_store.h"

static void write_organization(struct json *json, const void *item)
{
	const struct organization *organization = item;

	json_id(json, "id", &organization->uuid);
	json_add_string(json, "name", organization->name);
	field_write(json, &organization_fields, organization);
	json_instant(json, "created_at", organization->created_at_us);
	json_instant(json, "updated_at", organization->updated_at_us);
}

enum db_result organization_show(struct request *request)
{
	struct organization organization;

	DB_TRY(organization_get(request->db, request->key.organization_id, request->arena, &organization));
	return reply_object(request, 200, write_organization, &organization);
}

/* Every claim locks the limits of an organisation that has a row for them, even an empty one. So the row is made only
 * for limits. */
static bool changes_limits(uint64_t given)
{
	return field_is_given(&organization_fields, given, "contact_limits") ||
	       field_is_given(&organization_fields, given, "rest_hours_after_conversation");
}

enum db_result organization_change(struct request *request)
{
	struct organization before, organization;

	DB_TRY(organization_lock(request->db, request->key.organization_id, request->arena, &before));
	organization = before;
	field_apply(&organization_fields, request->given, request->input, &organization);
	contact_limits_settle(&organization.limits, &request->faults);
	calling_windows_settle(&organization.calling_windows, "default_calling_windows", &request->faults);
	if (request->faults.count != 0)
		return reply_refuse_faults(request, ERROR_VALIDATION);
	organization.updated_at_us = clock_now_us();
	audit_say_id(request, &organization.uuid);
	audit_say_changes(request, &organization_fields, &before, &organization);
	if (field_is_given(&organization_fields, request->given, "default_calling_windows"))
		DB_TRY(organization_save_hours(request->db, &organization));
	if (changes_limits(request->given))
		DB_TRY(organization_save_limits(request->db, &organization));
	return reply_object(request, 200, write_organization, &organization);
}
