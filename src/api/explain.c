#include "api/explain.h"

#include "api/reply.h"
#include "base/clock.h"
#include "domain/gate.h"
#include "engine/explain.h"
#include "store/batch_store.h"

static void write_gate(struct json *json, enum gate gate, const struct gate_facts *facts,
                       const struct gate_details *details)
{
	bool open = gate_room(gate, facts) > 0;

	json_begin_object(json, NULL);
	json_add_string(json, "gate", gate_name(gate));
	json_bool(json, "open", open);
	json_instant(json, "opens_at", open ? INSTANT_NONE : gate_opens_at(gate, facts));
	gate_write_facts(json, "facts", gate, facts, details);
	json_end(json);
}

/* Writes the gates up to this one. */
static void write_gates(struct json *json, enum gate until, const struct gate_facts *facts,
                        const struct gate_details *details)
{
	json_begin_array(json, "gates");
	for (enum gate gate = 0; gate < until; gate++)
		write_gate(json, gate, facts, details);
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
	write_gates(json, explanation->waits ? GATE__MAX : 0, &explanation->facts, &explanation->details);
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

static void write_gate_name(struct json *json, const char *key, bool is_held, enum gate gate)
{
	json_add_string(json, key, is_held && gate != GATE__MAX ? gate_name(gate) : NULL);
}

static void write_campaign(struct json *json, const struct batch *batch, const struct campaign_explanation *explanation)
{
	bool counted_all = explanation->due_now <= EXPLAIN_DUE_COUNTED;

	json_begin_object(json, "data");
	json_id(json, "id", &batch->uuid);
	json_add_string(json, "status", batch_status_names[explanation->facts.status]);
	json_add_string(json, "reason", explanation->reason);
	write_gate_name(json, "held_by", explanation->verdict.room == 0, explanation->verdict.held_by);
	json_instant(json, "next_at", explanation->next_at_us);
	write_gate_name(json, "waits_for", explanation->next_at_us == INSTANT_NEVER, explanation->waits_for);
	json_positive(json, "next_position", explanation->next_position);
	json_int(json, "due_now", counted_all ? explanation->due_now : EXPLAIN_DUE_COUNTED);
	json_bool(json, "due_now_is_exact", counted_all);
	json_int(json, "in_progress", explanation->details.in_progress);
	json_int(json, "places", explanation->details.places);
	write_gates(json, GATE_DUE, &explanation->facts, &explanation->details);
	json_end(json);
}

enum db_result batch_calls_why(struct request *request)
{
	struct campaign_explanation explanation;
	struct batch batch;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(explain_campaign(request->db, &batch, clock_now_us(), request->arena, &explanation));
	write_campaign(reply_begin(request, 200), &batch, &explanation);
	return reply_end(request);
}
