#include "base/instant.h"
#include "engine/report_job.h"
#include "store/ledger_store.h"

static struct json begin(struct ledger *ledger, const struct report_job *job, const struct reported_call *call,
                         enum ledger_decision decision)
{
	struct json json = ledger_begin(ledger, decision, job->now_us);

	json_id(&json, "campaign_id", &call->campaign_id);
	if (call->batch_id != 0) {
		json_int(&json, "position", call->position);
		json_int(&json, "attempt", call->attempt);
	}
	json_id(&json, "call_id", &call->id);
	return json;
}

static void note_outcome(struct ledger *ledger, const struct report_job *job, const struct reported_call *call)
{
	struct json json = begin(ledger, job, call, LEDGER_OUTCOME);

	json_add_string(&json, "status", call_status_names[call->status]);
	json_text(&json, "reason", call->end_reason);
	json_add_string(&json, "by", call->reported_at_us != INSTANT_NONE ? "dialer" : "outdial");
	if (call->move == PLAN_RETRY)
		json_instant(&json, "until", call->due_at_us);
	ledger_end(ledger, &json, call->organization_id, call->to_number);
}

/* The contact is called later, with the same call, or as if the call had never been made. */
static void note_unanswered(struct ledger *ledger, const struct report_job *job, const struct reported_call *call)
{
	bool is_undone = call->move == PLAN_UNDONE;
	struct json json = begin(ledger, job, call, is_undone ? LEDGER_UNDO : LEDGER_WAIT);

	json_instant(&json, "until", call->due_at_us);
	ledger_end(ledger, &json, call->organization_id, call->to_number);
}

enum db_result report_note_decisions(struct db *db, const struct report_job *job)
{
	struct ledger ledger = ledger_new(job->arena);

	for (size_t i = 0; i < job->call_count; i++) {
		const struct reported_call *call = &job->calls[i];

		if (call->changed && call_has_ended(call->status))
			note_outcome(&ledger, job, call);
		else if (call->move == PLAN_UNDONE || call->move == PLAN_WAITS)
			note_unanswered(&ledger, job, call);
	}
	return ledger_write(db, &ledger);
}
