/* The state that the steps of a claim share. claim.c goes through the campaigns, claim_take.c takes their contacts,
 * claim_contact.c judges one contact, claim_hold.c moves contacts that cannot be called when they were planned,
 * claim_look.c decides when a campaign is looked at again, claim_rows.c reads and writes rows, and claim_ledger.c notes
 * the decisions. */
#ifndef ENGINE_CLAIM_JOB_H
#define ENGINE_CLAIM_JOB_H

#include "engine/claim.h"
#include "engine/claim_due.h"
#include "engine/claim_facts.h"
#include "store/ledger_store.h"
#include "store/rows.h"

/* A call of an organisation that limits them, claimed here and not written yet. */
struct claim_called {
	int64_t organization_id;
	const char *phone_number;
};

/* Contacts that are due a little later are read too: so the next one is mostly known. */
#define CLAIM_BEYOND_US (100 * INT64_C(1000))
#define CLAIM_LIMITED_LOOK 200 /* contacts to look at where many of them may have to be deferred */

struct claim {
	const struct claim_limits *limits;
	struct uuid *ids;
	struct claimed_call *claimed; /* of each call; may be NULL */
	int max_campaigns;
	int64_t first; /* of the campaigns, by its row; 0: none */
	int count, looked;
	int64_t began_us, until_us; /* campaigns and contacts are taken that are due in this time */
	int64_t now_us;             /* the campaign is judged for this instant: none of its calls begins before it */
	struct arena *arena;
	struct claim_campaign *campaigns;
	size_t campaign_count;
	struct claim_called *called; /* room for limits->max_calls */
	size_t called_count;
	int again; /* of count: calls that waited in the plan */
	int skipped;
	struct rows takes, calls, skips, saves;
	struct buf defers;    /* of struct due_contact */
	struct ledger ledger; /* what was decided */
	struct claim_due
		together; /* contacts of several campaigns, read together; the contacts of a campaign follow each other */
};

/* Returns the facts by which the gates judge the campaign. */
struct gate_facts claim_gather_facts(const struct claim *claim, struct claim_campaign *campaign);

/* Returns whether the call of the contact waited in the plan, and this day has counted it already. */
bool claim_counts_again(const struct claim_campaign *campaign, const struct waiting_contact *contact);
/* Lifts the cap of a full day if the call in row `r`, which comes first, is counted already. */
void claim_lift_cap(const struct claim_campaign *campaign, struct gate_facts *facts, const struct claim_due *due,
                    size_t r);
/* Sets the window of the contact: the campaign's window, or the window in the contact's own zone. */
void claim_set_window(struct gate_facts *facts, const struct claim *claim, struct claim_campaign *campaign,
                      const struct waiting_contact *contact);
/* Returns the first time, not before at_us, at which the contact's window is open, and is not about to close. If a zone
 * cannot be read, the contact is looked at again later. */
int64_t claim_callable_from(const struct gate_facts *facts, int64_t at_us);
/* Defers a contact that this gate holds until about `at_us`. */
void claim_defer(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact,
                 enum gate gate, int64_t at_us);

/* Takes as many of the due contacts as there is room for, up to a contact that was held until the window in its zone
 * closed. */
enum db_result claim_take_contacts(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                   struct gate_facts *facts, const struct claim_due *due, int64_t *room);

/* Returns whether contacts cannot be called when they were planned, so that they have to be planned again. */
bool claim_breaks_plan(const struct gate_verdict *verdict, int64_t next_due_us);
/* Decides when to look at the campaign again: at the next waiting contact, unless a rule says otherwise. */
enum db_result claim_decide_next_look(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                                      const struct claim_due *due);

/* Changes the state of the campaign, which is rare. */
enum db_result claim_move(struct db *db, struct claim *claim, struct claim_campaign *campaign, enum batch_action action,
                          const char *reason);
/* Handles a campaign that may place no call now. If its first contact was due before the rules open, the contact is
 * late, and contacts move to the next allowed time. */
enum db_result claim_hold(struct db *db, struct claim *claim, struct claim_campaign *campaign, struct gate_facts *facts,
                          const struct gate_verdict *verdict);
/* Moves contacts, because the first due contact cannot be called before from_us: late retries alone, or the whole
 * plan. */
enum db_result claim_move_late(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                               struct gate_facts *facts, const struct claim_due *due, int64_t from_us);
/* Ends the wait for a zone if the zone can be read again. *planned: contacts that waited are planned now, and a later
 * look claims from the campaign. */
enum db_result claim_end_zone_trouble(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                      bool *planned);

/* The batches of rows start empty. */
void claim_open(struct claim *claim);
void claim_close(struct claim *claim);

/* Locks campaigns that are due for a look and that no other process has locked, and reads the facts that need no lock.
 */
enum db_result claim_lock_campaigns(struct db *db, struct claim *claim);

/* Postpones a campaign that needs a lock of another transaction. It is looked at again in a moment, after campaigns
 * that need no such lock. */
enum db_result claim_postpone(struct db *db, const struct claim *claim, const struct claim_campaign *campaign);

/* Reads the contacts of all campaigns whose last call no rule held, up to CLAIM_BEYOND_US after the claim's time. */
enum db_result claim_query_all(struct db *db, struct claim *claim);

/* Reads the campaign's first waiting contacts up to this instant, at most `limit`, or more if they were read before. */
enum db_result claim_query_due(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                               int64_t until_us, int64_t limit, struct claim_due *due);

/* Add what becomes of a contact: a call, which is placed between `called_at_us` and `expires_at_us`; a contact that is
 * never called; a wait until about `at_us`. claim_add_call returns the number from which the call is made. */
const char *claim_add_call(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact,
                           int64_t called_at_us, int64_t expires_at_us);
void claim_add_skip(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact);
void claim_add_defer(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact,
                     int64_t at_us);

/* Adds the campaign's new figures, and the time of the next look. */
void claim_add_save(struct claim *claim, const struct claim_campaign *campaign);

/* Notes for the ledger that the contact became the last call of the claim, by these facts. */
void claim_note_call(struct claim *claim, const struct claim_campaign *campaign, const struct gate_facts *facts,
                     const struct waiting_contact *contact, const char *from_number);

/* Note for the ledger that the contact is on the do-not-call list, or that this gate holds it until at_us. A wait of
 * less than a minute is not noted. */
void claim_note_skip(struct claim *claim, const struct claim_campaign *campaign, const struct waiting_contact *contact);
void claim_note_defer(struct claim *claim, const struct claim_campaign *campaign, const struct waiting_contact *contact,
                      enum gate gate, int64_t at_us);

/* Notes for the ledger that all waiting contacts of the campaign are planned again, from this instant on. */
void claim_note_replan(struct claim *claim, const struct claim_campaign *campaign, enum gate gate, int64_t from_us);

/* Writes all that was added. */
enum db_result claim_write(struct db *db, struct claim *claim);

#endif
