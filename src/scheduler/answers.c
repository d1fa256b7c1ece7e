#include "scheduler/answers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "domain/backoff.h"
#include "domain/health.h"
#include "domain/report_fields.h"
#include "engine/report.h"
#include "store/dispatch_store.h"
#include "store/try_store.h"

/* The most reports in one statement: this many answers of 64 KiB fit into the 16 MiB that every server accepts. */
#define REPORTS_AT_ONCE 200

struct answers {
	struct arena *arena;         /* texts of reports, until they are written */
	struct call_report *reports; /* also conclusions from answers */
	enum report_result *report_results;
	int report_count, max;
	bool is_locked_out;       /* reports wait for campaigns that another transaction has locked */
	struct held_call *failed; /* calls that their dialers did not take */
	int failed_count;
	struct held_call *unbegun; /* calls for which no request was sent */
	int unbegun_count;
	int64_t patience_us;
	struct tries tries; /* of all calls that were not accepted */
};

struct answers *answers_new(int max, int64_t patience_us)
{
	struct answers *answers = calloc(1, sizeof *answers);

	if (answers == NULL)
		fatal("out of memory");
	answers->max = max;
	answers->patience_us = patience_us;
	answers->arena = arena_new();
	answers->reports = calloc((size_t)max, sizeof *answers->reports);
	answers->report_results = calloc((size_t)max, sizeof *answers->report_results);
	answers->failed = calloc((size_t)max, sizeof *answers->failed);
	answers->unbegun = calloc((size_t)max, sizeof *answers->unbegun);
	if (!answers->reports || !answers->report_results || !answers->failed || !answers->unbegun)
		fatal("out of memory");
	return answers;
}

void answers_free(struct answers *answers)
{
	if (answers == NULL)
		return;
	arena_free(answers->arena);
	free(answers->reports);
	free(answers->report_results);
	free(answers->failed);
	free(answers->unbegun);
	tries_clear(&answers->tries);
	free(answers);
}

int answers_count(const struct answers *answers)
{
	return answers->report_count + answers->failed_count + answers->unbegun_count;
}

static bool read_report(const struct buf *body, struct call_report *report, struct faults *faults)
{
	uint64_t given;

	if (field_read(&report_fields, FIELD_CREATE, body->data, body->len, report, &given, faults) != FIELD_OK)
		return false;
	report_judge(report, "", clock_now_us(), faults);
	return faults->count == 0;
}

/* A dialer may report the result of the call in its answer. Any other body only means that it accepted the call. */
static struct call_report read_answer(struct answers *answers, const struct deliver_result *result)
{
	struct faults faults = { .arena = answers->arena };
	struct call_report report;

	if (result->body->len == 0 || !read_report(result->body, &report, &faults))
		return report_conclude(&result->id, CALL_ANY, CALL_DISPATCHED, "");
	report.call_id = result->id;
	return report;
}

static void try_again(struct answers *answers, const struct deliver_result *result)
{
	uint32_t random_bits;
	int64_t delay_us;

	crypto_random(&random_bits, sizeof random_bits);
	delay_us = backoff_wait_us(backoff_dispatch_us(result->tries, random_bits), result->retry_after_us);
	answers->failed[answers->failed_count++] = (struct held_call){
		result->id,
		clock_now_us() + delay_us,
		result->tries,
	};
}

void answers_collect(struct answers *answers, const struct deliver_result *result)
{
	char error[256], id[UUID_TEXT];

	assert(answers_count(answers) < answers->max);
	if (result->unbegun) {
		if (result->duration_us < answers->patience_us)
			answers->unbegun[answers->unbegun_count++] = (struct held_call){ result->id, clock_now_us(),
				                                                             result->tries };
		return;
	}
	if (result->status >= 200 && result->status < 300) {
		answers->reports[answers->report_count++] = read_answer(answers, result);
		return;
	}
	deliver_error(result, error, sizeof error);
	uuid_format(&result->id, id);
	log_info("dialer did not take a call status=%d error=\"%s\" tries=%d call=%s", result->status, error, result->tries,
	         id);
	tries_add_call(&answers->tries, &result->id,
	               &(struct tried){ result->started_at_us, result->duration_us, result->status, error, result->body });
	if (outcome_is_final(result->status))
		answers->reports[answers->report_count++] = report_conclude(&result->id, CALL_UNACCEPTED, CALL_FAILED,
		                                                            "dialer_refused");
	else
		try_again(answers, result);
}

static enum db_result write_failed(struct db *db, void *context)
{
	const struct answers *answers = context;

	return calls_try_again(db, answers->failed, answers->failed_count);
}

static enum db_result write_unbegun(struct db *db, void *context)
{
	const struct answers *answers = context;

	return calls_hold(db, answers->unbegun, answers->unbegun_count);
}

static enum db_result write_tries(struct db *db, void *context)
{
	return tries_write_calls(db, context);
}

/* Reports that the server rejects are dropped, and their calls are settled when their leases end. Reports that
 * waited for a lock are written later. */
static enum db_result write_part(struct db *db, db_work *work, void *context)
{
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, work, context);
	bool waited = result == DB_CONFLICT && db_waited_for_lock(db);

	return db_is_refusal(result) && !waited ? DB_OK : result;
}

/* Puts the reports whose campaigns are not locked first, and counts them. */
static enum db_result put_free_first(struct db *db, struct answers *answers, int *free_count)
{
	size_t count = (size_t)answers->report_count, next = 0;
	struct call_report *all = arena_alloc(answers->arena, count * sizeof *all);
	bool *is_free = arena_alloc(answers->arena, count * sizeof *is_free);

	memcpy(all, answers->reports, count * sizeof *all);
	DB_TRY(reports_find_free(db, all, count, is_free));
	for (size_t i = 0; i < count; i++)
		if (is_free[i])
			answers->reports[next++] = all[i];
	*free_count = (int)next;
	for (size_t i = 0; i < count; i++)
		if (!is_free[i])
			answers->reports[next++] = all[i];
	return DB_OK;
}

/* Reports about a campaign that another transaction has locked are kept until it is free. The others are written. */
static enum db_result write_reports(struct db *db, struct answers *answers, bool *woke)
{
	int count = answers->report_count;

	if (answers->is_locked_out)
		DB_TRY(put_free_first(db, answers, &count));
	for (int done = 0; done < count; done += REPORTS_AT_ONCE) {
		int left = count - done, part = left < REPORTS_AT_ONCE ? left : REPORTS_AT_ONCE;
		enum db_result result = reports_apply_and_tell(db, 0, answers->reports + done, (size_t)part, clock_now_us(),
		                                               answers->report_results, woke);

		answers->is_locked_out |= result == DB_CONFLICT && db_waited_for_lock(db);
		DB_TRY(result);
	}
	answers->report_count -= count;
	memmove(answers->reports, answers->reports + count, (size_t)answers->report_count * sizeof *answers->reports);
	answers->is_locked_out = answers->report_count != 0;
	if (!answers->is_locked_out)
		arena_reset(answers->arena);
	return answers->report_count > REPORTS_AT_ONCE ? DB_CONFLICT : DB_OK; /* more would not fit beside new answers */
}

enum db_result answers_write(struct db *db, struct answers *answers, bool *woke)
{
	DB_TRY(write_reports(db, answers, woke));
	*woke |= answers->failed_count + answers->unbegun_count != 0;
	if (answers->failed_count != 0)
		DB_TRY(write_part(db, write_failed, answers));
	answers->failed_count = 0;
	if (answers->unbegun_count != 0)
		DB_TRY(write_part(db, write_unbegun, answers));
	answers->unbegun_count = 0;
	if (answers->tries.arena != NULL)
		DB_TRY(write_part(db, write_tries, &answers->tries));
	tries_clear(&answers->tries);
	return DB_OK;
}
