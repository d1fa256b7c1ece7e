#include "scheduler/answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/backoff.h"
#include "domain/health.h"
#include "domain/report_fields.h"
#include "scheduler/dispatch.h"
#include "scheduler/tries.h"
#include "store/report_store.h"
#include "store/statements.h"

/* Written at once: so many answers of 64 KiB fit into the 16 MiB that a server takes in one statement. */
#define PORTION 200

struct answers {
	struct arena *arena; /* texts of reports, until they are written */
	struct call_report *reports; /* and what is concluded of answers */
	enum report_result *report_results;
	int report_count, max;
	struct uuid *failed;
	int64_t *failed_wake_at_us;
	int failed_count;
	struct held_call *unbegun; /* no request left for them */
	int unbegun_count;
	int64_t patience_us;
	struct tries tries; /* of all that were not taken */
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
	answers->failed_wake_at_us = calloc((size_t)max, sizeof *answers->failed_wake_at_us);
	answers->unbegun = calloc((size_t)max, sizeof *answers->unbegun);
	if (!answers->reports || !answers->report_results || !answers->failed || !answers->failed_wake_at_us ||
	    !answers->unbegun)
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
	free(answers->failed_wake_at_us);
	free(answers->unbegun);
	tries_free(&answers->tries);
	free(answers);
}

int answers_count(const struct answers *answers)
{
	return answers->report_count + answers->failed_count + answers->unbegun_count;
}

/* A dialer may say how the call went in its answer; any other body just means that it took the call. */
static struct call_report read_answer(struct answers *answers, const struct deliver_result *result)
{
	struct faults faults = { .arena = answers->arena };
	struct call_report report;
	uint64_t given;

	if (result->body->len == 0 ||
	    field_read(&report_fields, FIELD_CREATE, result->body->data, result->body->len, &report, &given,
	               &faults) != FIELD_OK) {
		memcpy(&report, report_fields.initial, sizeof report);
		report.status = CALL_DISPATCHED;
	}
	report.call_id = result->id;
	return report;
}

static struct call_report conclude_refused(const struct deliver_result *result)
{
	struct call_report report;

	memcpy(&report, report_fields.initial, sizeof report);
	report.call_id = result->id;
	report.premise = CALL_UNTAKEN;
	report.status = CALL_FAILED;
	report.end_reason = "dialer_refused";
	return report;
}

static void try_again(struct answers *answers, const struct deliver_result *result)
{
	uint32_t dice;

	crypto_random(&dice, sizeof dice);
	answers->failed[answers->failed_count] = result->id;
	answers->failed_wake_at_us[answers->failed_count++] =
		clock_now_us() + backoff_wait_us(backoff_dispatch_us(result->tries, dice), result->retry_after_us);
}

void answers_collect(struct answers *answers, const struct deliver_result *result)
{
	char error[256], id[UUID_TEXT];

	if (result->unbegun) {
		if (result->duration_us < answers->patience_us)
			answers->unbegun[answers->unbegun_count++] = (struct held_call){ result->id, clock_now_us() };
		return;
	}
	if (result->status >= 200 && result->status < 300) {
		answers->reports[answers->report_count++] = read_answer(answers, result);
		return;
	}
	deliver_error(result, error, sizeof error);
	uuid_format(&result->id, id);
	log_info("dialer did not take a call status=%d error=\"%s\" tries=%d call=%s", result->status, error,
	         result->tries, id);
	tries_add_call(&answers->tries, result, error);
	if (outcome_is_final(result->status))
		answers->reports[answers->report_count++] = conclude_refused(result);
	else
		try_again(answers, result);
}

static enum db_result write_failed(struct db *db, void *context)
{
	const struct answers *answers = context;
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (int i = 0; i < answers->failed_count; i++) {
		json_begin_array(&json, NULL);
		json_hex_id(&json, NULL, &answers->failed[i]);
		json_sql_instant(&json, NULL, answers->failed_wake_at_us[i]);
		json_end(&json);
	}
	json_end(&json);
	result = db_exec(db, SQL_CALLS_TRY_AGAIN, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

static enum db_result write_unbegun(struct db *db, void *context)
{
	const struct answers *answers = context;

	return dispatch_hold(db, answers->unbegun, answers->unbegun_count);
}

static enum db_result write_tries(struct db *db, void *context)
{
	return tries_write_calls(db, context);
}

/* What the server refuses is dropped: the ends of their leases settle the calls. What waited for a lock is written later. */
static enum db_result write_part(struct db *db, db_work *work, void *context)
{
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, work, context);
	bool waited = result == DB_CONFLICT && db_waited_for_lock(db);

	return db_is_refusal(result) && !waited ? DB_OK : result;
}

enum db_result answers_write(struct db *db, struct answers *answers)
{
	for (int done = 0; done < answers->report_count; done += PORTION) {
		int left = answers->report_count - done, part = left < PORTION ? left : PORTION;

		DB_TRY(reports_apply(db, 0, answers->reports + done, (size_t)part, clock_now_us(),
		                     answers->report_results));
	}
	answers->report_count = 0;
	arena_reset(answers->arena);
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
