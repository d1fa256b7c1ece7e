/* The facts by which the gates judge a campaign and its contacts, from the database: with locks for a claim,
 * without locks for an explanation. */
#ifndef ENGINE_CLAIM_FACTS_H
#define ENGINE_CLAIM_FACTS_H

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

/* When contacts in these zones may be called. */
struct claim_zone {
	const char *names; /* NULL: not known */
	struct calendar calendar;
	enum calendar_answer answer;
	struct span span;
	struct claim_zone *next;
};

/* What is known of a campaign without a lock: a row of SQL_CLAIM_FACTS. */
struct claim_facts {
	int64_t id, done, final, max_call_seconds;
	const char *phone_numbers; /* "+49… +49…:17": numbers, with the id of those that have a pace */
	bool agent_waits;          /* its dialer has not accepted agent.sync */
	bool is_fetched;           /* its dialer fetches its calls */
	bool has_limits;           /* its organisation has contact limits */
	struct uuid agent_id;
	int64_t do_not_call_version; /* the version of its organisation's do-not-call list, read before the list itself */
	int64_t endpoint;            /* of its dialer; 0: none; -1: switched off */
	struct health health;        /* of its dialer */
	int64_t trial_until_us;      /* until when another campaign's call probes the half-open circuit of its dialer */
	int64_t places;              /* calls at once, if its dialer asked to slow down; 0: no limit */
};

struct claim_campaign {
	int64_t id, organization_id, agent_row, total, called, claimed, max_concurrent;
	int64_t waiting; /* its calls that wait in the plan */
	struct uuid uuid;
	enum rotation rotation;
	struct batch_config config; /* the calendar of the campaign */
	enum batch_status status;
	int64_t day, day_calls, wake_at_us, low_water_us, pace_at_us;
	int64_t callback_at_us; /* the first of its callbacks; INSTANT_NEVER: none waits */
	struct span span;
	enum calendar_answer answer; /* whether some day within the next 366 can take a call */
	bool capped;
	const char *held_by;      /* as in struct batch */
	bool is_open;             /* at the last look no rule held the next call; it only was not due yet */
	const char *zone_trouble; /* as in struct batch */
	struct claim_facts facts;
	struct claim_number numbers[BATCH_MAX_NUMBERS];
	int number_count;
	const struct contact_limits *limits; /* NULL: there are none, or another transaction has locked them */
	/* The following members belong to the claim: */
	struct gate_hold hold;    /* of the next call */
	int64_t taken;            /* calls */
	int64_t counted;          /* how many of these are requested again on a day that counts them already */
	size_t seen;              /* rows of `due` that were taken, skipped or deferred */
	struct claim_zone *zones; /* zones of contacts that this claim has met */
	int64_t deferred_us;      /* the first instant that a contact was deferred to; INSTANT_NEVER: none */
};

/* A fetch of calls: by an organisation, for one of its agents or (nil) for all. */
struct claim_fetch {
	int64_t organization_id;
	struct uuid agent_id;
};

/* Like claim_facts_lock, for the campaigns whose dialers fetch their calls. */
enum db_result claim_facts_lock_fetched(struct db *db, const struct claim_fetch *fetch, int64_t now_us, int max,
                                        struct arena *arena, struct claim_campaign **campaigns, size_t *count);

/* Locks and reads at most `max` campaigns that are due for a look since from_us or later, and that no other transaction
 * has locked. */
enum db_result claim_facts_lock(struct db *db, int64_t from_us, int64_t now_us, int max, struct arena *arena,
                                struct claim_campaign **campaigns, size_t *count);

/* DB_NOT_FOUND: there is no such campaign. */
enum db_result claim_facts_read(struct db *db, int64_t batch_row, int64_t now_us, struct arena *arena,
                                struct claim_campaign *out);

/* Returns the facts by which the gates judge the campaign. The facts of a contact are set to those of the campaign. */
struct gate_facts claim_facts_of(struct claim_campaign *campaign, int64_t now_us, int64_t dialer_room);

/* Returns how many calls the campaign may have in progress: fewer than configured if its dialer asked to slow down. */
int64_t claim_facts_places(const struct claim_campaign *campaign);

/* Returns whether day_calls of the campaign counts a call that was claimed at this instant. */
bool claim_facts_day_has(const struct claim_campaign *campaign, int64_t called_at_us);

#endif
