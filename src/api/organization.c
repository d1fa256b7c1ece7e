#include "api/organization.h"

#include "api/reply.h"
#include "base/clock.h"
#include "store/organization_store.h"

static enum db_result reply_organization(struct request *request, const struct organization *organization)
{
	struct json *json = reply_begin(request, 200);

	json_begin_object(json, "data");
	json_id(json, "id", &organization->uuid);
	json_add_string(json, "name", organization->name);
	field_write(json, &organization_fields, organization);
	json_instant(json, "created_at", organization->created_at_us);
	json_instant(json, "updated_at", organization->updated_at_us);
	json_end(json);
	return reply_end(request);
}

enum db_result organization_show(struct request *request)
{
	struct organization organization;

	DB_TRY(organization_get(request->db, request->key.organization_id, request->arena, &organization));
	return reply_organization(request, &organization);
}

enum db_result organization_change(struct request *request)
{
	struct organization organization;

	DB_TRY(organization_lock(request->db, request->key.organization_id, request->arena, &organization));
	field_apply(&organization_fields, request->given, request->input, &organization);
	contact_limits_settle(&organization.limits, &request->faults);
	if (request->faults.count != 0)
		return reply_refuse_faults(request, ERROR_VALIDATION);
	organization.updated_at_us = clock_now_us();
	DB_TRY(organization_save_limits(request->db, &organization));
	return reply_organization(request, &organization);
}
