/* The waiting contacts of campaigns, as a claim takes them: in the order of their instants, locked, and without
 * contacts that another transaction has locked. */
#ifndef ENGINE_CLAIM_DUE_H
#define ENGINE_CLAIM_DUE_H

#include "domain/call.h"
#include "engine/claim_facts.h"

#define CLAIM_CAMPAIGNS 32 /* of a claim */

/* A contact that waits in the plan. */
struct waiting_contact {
	int64_t batch_id, due_at_us, position, attempt, attempts;
	const char *phone_number, *timezone;
	bool do_not_call; /* its number is on the list */
	bool waits;       /* with the attempt `call_id`, which no dialer has answered */
	struct uuid call_id; /* of its last attempt */
	/* Of that attempt; read for contacts that wait with it or must not be called. */
	enum call_status last_status;
	int64_t asked_at_us;
	const char *had_number;
};

/* The first contacts of a campaign that wait, in the order of their instants, up to one at `until_us`. */
struct claim_due {
	const struct waiting_contact *contacts;
	size_t count;
	int64_t until_us; /* INSTANT_NEVER: whenever they are due */
	bool is_cut;      /* more of them may follow */
};

/* The campaign's first contacts up to this instant, at most `limit`. */
enum db_result claim_due_read(struct db *db, const struct claim_campaign *campaign, int64_t until_us, int64_t limit,
                              struct arena *arena, struct claim_due *due);

/* The same for several campaigns, at most CLAIM_CAMPAIGNS: the contacts of a campaign follow each other. */
enum db_result claim_due_read_all(struct db *db, const struct claim_campaign *const *campaigns, size_t count,
                                  int64_t until_us, int64_t limit, struct arena *arena, struct claim_due *due);

/* When the campaign's first contact after this instant is due; INSTANT_NEVER: there is none. */
enum db_result claim_due_find_next(struct db *db, const struct claim_campaign *campaign, int64_t after_us,
                                   int64_t *next_due_us);

#endif
