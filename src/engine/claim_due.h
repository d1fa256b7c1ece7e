/* Reads the waiting contacts of campaigns for a claim, in the order of their instants. They are not locked, because the
 * row of their campaign is their lock (store/statements/claims.def). */
#ifndef ENGINE_CLAIM_DUE_H
#define ENGINE_CLAIM_DUE_H

#include "domain/call.h"
#include "engine/claim_facts.h"

#define CLAIM_CAMPAIGNS 32 /* of one claim, at most */

/* A contact that waits in the plan. */
struct waiting_contact {
	int64_t batch_id, due_at_us, position, attempt, attempts;
	const char *phone_number, *timezone;
	bool do_not_call;    /* its number is on the list */
	bool waits;          /* with its attempt `call_id`: no dialer answered, so the same attempt is made again */
	struct uuid call_id; /* of its last attempt */
	/* Of that attempt. They are read only if `waits` or `do_not_call` is true. */
	enum call_status last_status;
	int64_t asked_at_us;
	const char *had_number;
};

/* The first waiting contacts of a campaign, in the order of their instants, up to `until_us`. */
struct claim_due {
	const struct waiting_contact *contacts;
	size_t count;
	int64_t until_us; /* INSTANT_NEVER: whenever they are due */
	bool is_cut;      /* more of them may follow */
};

/* Reads the campaign's first contacts up to this instant, at most `limit`. */
enum db_result claim_due_read(struct db *db, const struct claim_campaign *campaign, int64_t until_us, int64_t limit,
                              struct arena *arena, struct claim_due *due);

/* Like claim_due_read, for at most CLAIM_CAMPAIGNS campaigns. The contacts of a campaign follow each other. */
enum db_result claim_due_read_all(struct db *db, const struct claim_campaign *const *campaigns, size_t count,
                                  int64_t until_us, int64_t limit, struct arena *arena, struct claim_due *due);

/* Finds when the campaign's first contact after this instant is due. INSTANT_NEVER: there is none. */
enum db_result claim_due_find_next(struct db *db, const struct claim_campaign *campaign, int64_t after_us,
                                   int64_t *next_due_us);

#endif
