/* The state that the steps of applying reports share. report.c locks calls and goes through the steps,
 * report_move.c decides what the calls become, report_settle.c what becomes of their contacts, report_retry.c whether a
 * retry follows; report_write.c writes rows, report_ledger.c decisions, and report_events.c events. */
#ifndef ENGINE_REPORT_JOB_H
#define ENGINE_REPORT_JOB_H

#include "domain/batch.h"
#include "engine/report.h"

/* What a call's contact waits for from now on. */
enum plan_move {
	PLAN_STAYS,  /* the plan does not change */
	PLAN_RETRY,  /* it has ended, and its contact waits for the next attempt: a retry, or a callback */
	PLAN_WAITS,  /* no dialer answered: the call waits, to be requested again */
	PLAN_UNDONE, /* no request was sent: the contact waits as before the claim, and the call is deleted */
};

/* A call under its lock, as the reports move it. */
struct reported_call {
	struct uuid id, campaign_id;
	const char *to_number;
	const struct report_row *row;
	enum call_status status;
	int64_t batch_id, position, attempt, tries, organization_id, max_seconds;
	int64_t wake_at_us, expires_at_us, called_at_us, ended_at_us, duration_seconds, cost;
	int64_t dispatched_at_us, answered_at_us, reported_at_us; /* if the reports say it; INSTANT_NONE: they do not */
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary;
	bool changed;
	bool was_waiting;                     /* in the plan, when it was locked */
	const struct call_report *unanswered; /* the conclusion that no dialer answered it; NULL: none */
	enum plan_move move;
	int64_t call_back_at_us; /* when the person asked to be called; INSTANT_NONE: the person did not ask */
	int64_t retry_at_us;     /* when the next attempt may begin; INSTANT_NONE: none follows */
	struct call_past past;
	enum call_status kept_outcome; /* the outcome of the attempt before, which the contact keeps; CALL_QUEUED: none */
	bool has_contact_id;           /* the contact may be a copy of a stored contact */
	const char *zones;             /* of a contact whose campaign respects zones; NULL: not known */
	int64_t due_at_us;             /* its instant in the plan, if it goes into the plan */
	enum call_status began_as;     /* CALL_QUEUED: this job did not begin it */
	unsigned subscribed;           /* bit set of the events that have subscribers in its organisation */
};

/* When contacts in the same zones can be called again. */
struct retry_opening {
	const char *zones;
	int64_t from_us, at_us; /* at_us INSTANT_NONE: never */
	struct retry_opening *next;
};

/* The sums over the calls of one campaign. */
struct reported_batch {
	int64_t id;
	enum batch_status status;
	bool has_contact_ids;
	struct batch_config config;
	int64_t done, final[CONTACT_STATUS__MAX];
	int64_t claimed, waiting, called; /* is added to the counters of the campaign */
	int32_t day;                      /* and day_calls to the calls of this day */
	int64_t day_calls;
	int64_t first_callback_us; /* INSTANT_NEVER: none */
	int64_t first_due_us; /* the earliest of the contacts that go into the plan or stay there; INSTANT_NEVER: none */
	struct retry_opening *openings; /* computed so far */
};

/* A row of SQL_REPORT_LOCK: a call with its campaign. */
struct report_row {
	struct reported_call call;
	struct reported_batch batch;
};

struct report_job {
	int64_t organization_id, now_us;
	const struct call_report *reports;
	size_t count;
	enum report_result *results;
	bool *woke; /* a scheduler has to look at a campaign now */
	/* Made again at every run of the transaction: */
	struct arena *arena;
	struct reported_call *calls;
	size_t call_count;
	struct reported_batch *batches;
	size_t batch_count;
};

/* Returns whether the call belongs to a campaign and was ended by this job. (A single call has no contact, counters or
 * retry.) */
bool report_ended_in_batch(const struct reported_call *call);
/* Returns whether the same holds, or the call of a campaign goes into the plan or leaves it. */
bool report_concerns_batch(const struct reported_call *call);
/* Returns the status of the contact of a call that has ended, unless it is called again. A contact keeps the
 * outcome of the attempt before if its campaign was cancelled before the dialer had this attempt. */
enum contact_status report_outcome(const struct reported_call *call);

/* Calls must be sorted before they can be found. report_job_call returns NULL if the job has no such call. */
void report_job_sort_calls(struct report_job *job);
struct reported_call *report_job_call(const struct report_job *job, const struct uuid *id);

struct reported_batch *report_job_batch(const struct report_job *job, int64_t id);

/* Returns the first callable instant from this instant on, for contacts in these zones; INSTANT_NONE: there is none.
 * Computed once for all calls of the job, because many zones take a while. */
int64_t report_callable_from(const struct report_job *job, struct reported_batch *batch, const char *zones,
                             int64_t from_us);

/* Returns whether its contact waits for a callback. */
bool report_is_called_back(const struct reported_call *call);

/* Moves the calls as the reports say, and sets the results. Returns whether any call was moved. */
bool report_move_calls(struct report_job *job);
void report_move_call(struct reported_call *call, const struct call_report *report, int64_t now_us);

/* Finds the zones of contacts whose campaigns respect zones. */
enum db_result report_load_zones(struct db *db, struct report_job *job);
/* Decides what the contacts of the calls wait for from now on, and adds up what that changes in their campaigns. */
void report_settle(struct report_job *job);

/* Reads the earlier attempts of the contacts whose calls ended. Then sets retry_at_us of each call: when its
 * contact is called again. INSTANT_NONE: it is not called again. */
enum db_result report_load_past(struct db *db, struct report_job *job);
int64_t report_next_call(const struct report_job *job, struct reported_batch *batch, struct reported_call *call);

/* Writes the calls and their contacts; then the retries, analytics and counters; then wakes the campaigns that a
 * scheduler must look at. */
enum db_result report_write_calls(struct db *db, const struct report_job *job);
enum db_result report_write_ends(struct db *db, struct report_job *job);

/* Writes the decisions for the ledger: how calls ended, and what follows for calls that no dialer answered. */
enum db_result report_note_decisions(struct db *db, const struct report_job *job);

/* Writes the events for subscribers, with the calls as report_write_calls left them. Without subscribers it does
 * nothing. */
enum db_result report_publish(struct db *db, const struct report_job *job);

#endif
