#include "api/explain.h"

#include "api/reply.h"
#include "base/clock.h"
#include "domain/gate_json.h"
#include "store/batch_store.h"
#include "store/explain.h"

static void write_gate(struct json *json, enum gate gate, const struct gate_facts *facts)
{
	bool open = gate_room(gate, facts) > 0;

	json_begin_object(json, NULL);
	json_add_string(json, "gate", gate_name(gate));
	json_bool(json, "open", open);
	json_instant(json, "opens_at", open ? INSTANT_NONE : gate_opens_at(gate, facts));
	gate_write_facts(json, "facts", gate, facts);
	json_end(json);
}

static void write_explanation(struct json *json, const struct explanation *explanation)
{
	bool waits_for_event = explanation->waits && explanation->next_at_us == INSTANT_NEVER;

	json_begin_object(json, "data");
	json_int(json, "position", explanation->contact.position);
	json_add_string(json, "phone_number", explanation->contact.who.phone_number);
	json_add_string(json, "status", contact_status_names[explanation->contact.status]);
	json_add_string(json, "reason", explanation->reason);
	json_instant(json, "next_at", explanation->next_at_us);
	json_add_string(json, "waits_for", waits_for_event ? gate_name(explanation->waits_for) : NULL);
	json_begin_array(json, "gates");
	for (enum gate gate = 0; explanation->waits && gate < GATE__MAX; gate++)
		write_gate(json, gate, &explanation->facts);
	json_end(json);
	json_end(json);
}

enum db_result batch_contacts_why(struct request *request)
{
	struct explanation explanation;
	struct batch batch;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(explain_contact(request->db, &batch, request->position, clock_now_us(), request->arena, &explanation));
	write_explanation(reply_begin(request, 200), &explanation);
	return reply_end(request);
}
