/* What the gates judge a campaign and its contacts by, as the database has it: for a claim under locks, for an
 * explanation without. */
#ifndef STORE_CLAIM_FACTS_H
#define STORE_CLAIM_FACTS_H

#include "domain/batch.h"
#include "domain/contact_limit.h"
#include "domain/gate.h"
#include "domain/health.h"
#include "domain/pace.h"
#include "store/db.h"

/* A number that has a pace: one for all campaigns that call from it. */
struct claim_pace {
	int64_t number_id, calls_per_minute;
	struct pace pace;
	bool taken; /* by this claim */
};

struct claim_number {
	const char *phone_number;
	struct claim_pace *pace; /* NULL: it has none */
};

/* When contacts that are in these zones may be called. */
struct claim_zone {
	const char *names; /* NULL: nobody knows */
	struct calendar calendar;
	enum calendar_answer answer;
	struct span span;
	struct claim_zone *next;
};

struct claim_campaign {
	int64_t id, organization_id, agent_row, total, called, claimed, max_concurrent;
	int64_t waiting; /* its calls that wait in the plan */
	struct uuid uuid;
	enum rotation rotation;
	struct batch_config config; /* what the calendar needs */
	enum batch_status status;
	int64_t day, day_calls, wake_at_us, low_water_us, pace_at_us;
	struct span span;
	enum calendar_answer answer; /* whether some day within the next 366 can take a call */
	bool capped;
	const char *zone_trouble; /* as in struct batch */
	/* read without a lock */
	int64_t done, final, max_call_seconds;
	bool agent_waits; /* its dialer has not taken agent.sync */
	int64_t endpoint; /* of its dialer; 0: none; -1: switched off */
	struct health health; /* of its dialer */
	int64_t trial_until_us; /* of its dialer while it is half open: another campaign tries it */
	int64_t places;   /* that the dialer leaves it, having asked to slow down; 0: all */
	struct claim_number numbers[BATCH_MAX_NUMBERS];
	int number_count;
	bool has_limits;                     /* its organisation limits how often somebody is called */
	const struct contact_limits *limits; /* NULL: it does not, or somebody else judges by them right now */
	/* of the claim */
	struct gate_hold hold; /* of the next call */
	int64_t taken;       /* calls */
	int64_t counted;     /* of these: asked for again on a day that counts them already */
	size_t seen;         /* rows of `due` that were taken, skipped or deferred */
	struct claim_zone *zones; /* met so far, where contacts' own zones count */
	int64_t deferred_us; /* the first instant that a contact was deferred to; INSTANT_NEVER: none */
};

/* Locks and reads the campaigns that are due for a look and that nobody else holds, at most `max` of them. */
enum db_result claim_facts_lock(struct db *db, int64_t now_us, int max, struct arena *arena,
                                struct claim_campaign **campaigns, size_t *count);

/* DB_NOT_FOUND: there is no such campaign. */
enum db_result claim_facts_read(struct db *db, int64_t batch_row, int64_t now_us, struct arena *arena,
                                struct claim_campaign *out);

/* The facts that the rules judge the campaign by, and a contact that is as the campaign is. */
struct gate_facts claim_facts_of(struct claim_campaign *campaign, int64_t now_us, int64_t dialer_room);

/* How many calls the campaign may have in progress: fewer than it wants, if its dialer asked to slow down. */
int64_t claim_facts_places(const struct claim_campaign *campaign);

/* The campaign's ledger is that of the day, and counts a call that was claimed at this instant. */
bool claim_facts_day_has(const struct claim_campaign *campaign, int64_t called_at_us);

/* A number that somebody wants to call. The call that is to be asked for again is no other call to it. */
struct limited_number {
	const char *phone_number;
	struct uuid but; /* that call; nil: none */
};

/* From when on each of the numbers may be called, as the limits have it. */
enum db_result claim_facts_limits(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                  const struct limited_number *asked, size_t count, int64_t now_us,
                                  struct arena *arena, int64_t *open_at_us);

/* The same for one number, with the limit that holds it. */
enum db_result claim_facts_limit_hold(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                      const struct limited_number *asked, int64_t now_us, struct arena *arena,
                                      int64_t *open_at_us, struct contact_limit_hold *hold);

#endif
