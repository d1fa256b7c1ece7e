/* What a claim reads and writes: the campaigns under their locks, and the rows of its batches. What is
 * decided with them: scheduler/claim.c */
#ifndef SCHEDULER_CLAIM_ROWS_H
#define SCHEDULER_CLAIM_ROWS_H

#include "base/json.h"
#include "scheduler/claim.h"
#include "store/claim_facts.h"

/* A call of an organisation that limits them, claimed here and not written yet. */
struct claim_called {
	int64_t organization_id;
	const char *phone_number;
};

struct claim {
	const struct claim_limits *limits;
	struct uuid *ids;
	int max_campaigns;
	int64_t first; /* of the campaigns, by its row; 0: none */
	int count, looked;
	int64_t began_us, until_us; /* campaigns and contacts are taken that are due in this time */
	int64_t now_us; /* the campaign is judged for this instant: none of its calls begins before */
	struct arena *arena;
	struct claim_campaign *campaigns;
	size_t campaign_count;
	struct claim_called *called; /* room for limits->max_calls */
	size_t called_count;
	int again; /* of count: calls that waited in the plan */
	int skipped;
	struct buf takes, calls, skips, saves; /* JSON */
	struct json takes_json, calls_json, skips_json, saves_json;
	struct buf defers; /* of struct due_contact */
};

/* The batches of rows start empty. */
void claim_open(struct claim *claim);
void claim_close(struct claim *claim);

/* Campaigns that are due for a look and that nobody else holds, with the facts that need no lock. */
enum db_result claim_lock_campaigns(struct db *db, struct claim *claim);

/* What it needs is locked: it is looked at again in a moment, after those that can be claimed from. */
enum db_result claim_postpone(struct db *db, const struct claim *claim, const struct claim_campaign *campaign);

/* The campaign's first `limit` waiting contacts: rows of SQL_CLAIM_DUE. */
enum db_result claim_query_due(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                               int64_t limit, struct db_rows *due);

/* Row `r` of those: whether a call waits there that is to be asked for again, and when that was last asked for. */
bool claim_is_again(const struct db_rows *due, size_t r);
int64_t claim_asked_at(const struct db_rows *due, size_t r);

/* Row `r` of those becomes a call, which is placed at `called_at_us` or until `expires_at_us`, is passed over for good, or waits until about
 * at_us. */
void claim_add_call(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, size_t r,
                    int64_t called_at_us, int64_t expires_at_us);
void claim_add_skip(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, size_t r);

void claim_add_defer(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, size_t r,
                     int64_t at_us);

/* The campaign's new figures, and when to look at it again. */
void claim_add_save(struct claim *claim, const struct claim_campaign *campaign);

/* Writes all that was added. */
enum db_result claim_write(struct db *db, struct claim *claim);

#endif
