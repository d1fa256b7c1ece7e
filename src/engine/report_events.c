#include "base/instant.h"
#include "base/json.h"
#include "domain/call_json.h"
#include "engine/report_job.h"
#include "store/call_store.h"
#include "store/event_store.h"

static bool is_wanted(const struct reported_call *call, enum event type)
{
	return (call->subscribed & EVENT_BIT(type)) != 0;
}

static enum event ending(const struct reported_call *call)
{
	return call->status == CALL_FAILED ? EVENT_CALL_FAILED : EVENT_CALL_ENDED;
}

static bool tells_of_beginning(const struct reported_call *call)
{
	return call->began_as != CALL_QUEUED && is_wanted(call, EVENT_CALL_STARTED);
}

static bool tells_of_end(const struct reported_call *call)
{
	return call->changed && call_has_ended(call->status) && is_wanted(call, ending(call));
}

/* If the start and the end of a call are in the same batch, the event of its start has its state before the end. */
static struct call as_it_began(const struct call *call, enum call_status status)
{
	struct call begun = *call;

	begun.status = status;
	begun.ended_at_us = INSTANT_NONE;
	if (status != CALL_IN_PROGRESS)
		begun.answered_at_us = INSTANT_NONE;
	begun.duration_seconds = begun.cost_ten_thousandths = -1;
	begun.call_back_at_us = INSTANT_NONE;
	begun.outcome = begun.end_reason = begun.recording_url = begun.transcript_url = begun.summary = "";
	return begun;
}

static struct published_event event_of(enum event type, const struct reported_call *reported, const struct call *call,
                                       struct arena *arena)
{
	struct buf data = { 0 };
	struct json json = json_to(&data);
	struct published_event event = { .organization_id = reported->organization_id, .type = type };

	json_add_object(&json, NULL, call_write, call);
	event.data = arena_strndup(arena, data.data, data.len);
	buf_free(&data);
	return event;
}

static enum db_result publish(struct db *db, const struct report_job *job, const struct uuid *ids, size_t count)
{
	struct published_event *events = arena_alloc(job->arena, 2 * count * sizeof *events);
	const struct call *calls;
	size_t event_count = 0;

	DB_TRY(calls_load(db, ids, &count, job->arena, &calls));
	for (size_t i = 0; i < count; i++) {
		const struct reported_call *reported = report_job_call(job, &calls[i].id);
		struct call begun = as_it_began(&calls[i], reported->began_as);

		if (tells_of_beginning(reported))
			events[event_count++] = event_of(EVENT_CALL_STARTED, reported, &begun, job->arena);
		if (tells_of_end(reported))
			events[event_count++] = event_of(ending(reported), reported, &calls[i], job->arena);
	}
	return events_publish(db, events, event_count, job->now_us);
}

enum db_result report_publish(struct db *db, const struct report_job *job)
{
	struct uuid *ids = arena_alloc(job->arena, job->call_count * sizeof *ids);
	size_t count = 0;

	for (size_t i = 0; i < job->call_count; i++)
		if (tells_of_beginning(&job->calls[i]) || tells_of_end(&job->calls[i]))
			ids[count++] = job->calls[i].id;
	return count == 0 ? DB_OK : publish(db, job, ids, count);
}
