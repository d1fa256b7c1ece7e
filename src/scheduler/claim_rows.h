/* What a claim reads and writes: the campaigns under their locks, and the rows of its four batches. What is
 * decided with them: scheduler/claim.c */
#ifndef SCHEDULER_CLAIM_ROWS_H
#define SCHEDULER_CLAIM_ROWS_H

#include "base/json.h"
#include "domain/batch.h"
#include "scheduler/claim.h"

/* A campaign under its lock. */
struct claim_campaign {
	int64_t id, organization_id, agent_row, total, called, claimed, max_concurrent;
	struct uuid uuid;
	enum rotation rotation;
	struct batch_config config; /* what the calendar needs */
	enum batch_status status;
	int64_t day, day_calls, wake_at_us, low_water_us, pace_at_us;
	struct span span;
	bool capped, callable; /* callable: some day within the next 366 can take a call */
	/* read without a lock */
	int64_t done, final, max_call_seconds;
	int64_t endpoint; /* of its dialer; 0: none; -1: switched off */
	int64_t taken;    /* by this claim */
	size_t seen;      /* rows of `due` that this claim took or skipped */
	const char *numbers[BATCH_MAX_NUMBERS];
	int number_count;
};

struct claim {
	const struct claim_limits *limits;
	struct uuid *ids;
	int max_campaigns;
	int64_t first; /* of the campaigns, by its row; 0: none */
	int count, looked;
	int64_t now_us;
	struct arena *arena;
	struct claim_campaign *campaigns;
	size_t campaign_count;
	int skipped;
	struct buf takes, calls, skips, saves;
	struct json takes_json, calls_json, skips_json, saves_json;
};

/* The batches of rows start empty. */
void claim_open(struct claim *claim);
void claim_close(struct claim *claim);

/* Campaigns that are due for a look and that nobody else holds, with the facts that need no lock. */
enum db_result claim_lock_campaigns(struct db *db, struct claim *claim);

/* The campaign's first `limit` waiting contacts: rows of SQL_CLAIM_DUE. */
enum db_result claim_query_due(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                               int64_t limit, struct db_rows *due);

/* Row `r` of those becomes a call, or is passed over for good. */
void claim_add_call(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, size_t r);
void claim_add_skip(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, size_t r);

/* The campaign's new figures, and when to look at it again. */
void claim_add_save(struct claim *claim, const struct claim_campaign *campaign);

/* Writes all that was added. */
enum db_result claim_write(struct db *db, struct claim *claim);

#endif
