/* What the parts of applying reports share: report_store.c locks calls and works out what becomes of them,
 * report_write.c writes it, report_events.c tells who subscribed. */
#ifndef STORE_REPORT_JOB_H
#define STORE_REPORT_JOB_H

#include "domain/batch.h"
#include "store/report_store.h"

/* What a call's contact waits for from now on. */
enum plan_move {
	PLAN_STAYS,  /* nothing comes into the plan */
	PLAN_RETRY,  /* it has ended, and its contact waits for the next attempt */
	PLAN_WAITS,  /* no dialer answered: it waits, to be asked for again */
	PLAN_UNDONE, /* no request left: its contact waits as before the claim, and there is no call */
};

/* A call under its lock, as the reports move it. */
struct reported_call {
	struct uuid id;
	size_t row; /* of the job's rows */
	enum call_status status;
	int64_t batch_id, position, attempt, tries, organization_id, max_seconds;
	int64_t wake_at_us, expires_at_us, called_at_us, ended_at_us, duration_seconds, cost;
	int64_t dispatched_at_us, answered_at_us, reported_at_us; /* as this job learned it; INSTANT_NONE: it did not */
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary;
	bool changed;
	bool was_waiting;                       /* in the plan, when it was locked */
	const struct call_report *unanswered;   /* the conclusion that no dialer answered it; NULL: none */
	enum plan_move move;
	bool has_contact_id; /* perhaps: its contact may be a copy of one that is kept */
	const char *zones;   /* of a contact whose campaign respects them; NULL: nobody knows */
	int64_t due_at_us;   /* in the plan, if it comes into it */
	enum call_status began_as; /* CALL_QUEUED: this job did not begin it */
	unsigned subscribed;       /* bit set of the events that somebody in its organisation asked for */
};

/* When contacts in the same zones can be called again. */
struct retry_opening {
	const char *zones;
	int64_t from_us, at_us; /* at_us INSTANT_NONE: never */
	struct retry_opening *next;
};

/* What one campaign's calls add up to. */
struct reported_batch {
	int64_t id;
	enum batch_status status;
	bool has_contact_ids;
	struct batch_config config;
	int64_t done, final[CONTACT_STATUS__MAX];
	int64_t claimed, waiting, called; /* what is added to its ledgers */
	int32_t day;                      /* … and to that of this day */
	int64_t day_calls;
	int64_t first_due_us;             /* of those that come into the plan; INSTANT_NEVER: none */
	struct retry_opening *openings; /* worked out so far */
};

struct report_job {
	int64_t organization_id, now_us;
	const struct call_report *reports;
	size_t count;
	enum report_result *results;
	/* Made afresh at every run of the transaction: */
	struct arena *arena;
	struct db_rows rows; /* of SQL_REPORT_LOCK: the calls, each with its campaign */
	struct reported_call *calls;
	size_t call_count;
	struct reported_batch *batches;
	size_t batch_count;
};

/* Ended by this job, in a campaign: a single call has no contact, no counters, no retry. */
bool report_ended_in_batch(const struct reported_call *call);
/* The same, or it goes into the plan or leaves it. */
bool report_concerns_batch(const struct reported_call *call);

/* Sorted once, calls are found. NULL: not in it. */
void report_job_sort_calls(struct report_job *job);
struct reported_call *report_job_call(const struct report_job *job, const struct uuid *id);

struct reported_batch *report_job_batch(const struct report_job *job, int64_t id);
void report_job_batch_ids(const struct report_job *job, struct buf *out); /* a JSON array */

/* The calls and their contacts as they are now; then what the ends mean for retries, analytics, counters, and
 * which campaigns a scheduler must look at. */
enum db_result report_write_calls(struct db *db, const struct report_job *job);
enum db_result report_write_ends(struct db *db, struct report_job *job);

/* Tells subscribers, with the calls as report_write_calls left them. Where there are none it does nothing. */
enum db_result report_publish(struct db *db, const struct report_job *job);

#endif
