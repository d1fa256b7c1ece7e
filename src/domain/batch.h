/* A campaign ("batch call"): what a client configures, its states, and what may be done in which.
 * The numbers of the enums are stored. */
#ifndef DOMAIN_BATCH_H
#define DOMAIN_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/field.h"
#include "base/uuid.h"
#include "domain/call.h"
#include "domain/contact.h"
#include "domain/plan.h"

enum batch_status {
	BATCH_DRAFT,
	BATCH_SCHEDULED,
	BATCH_ACTIVE,
	BATCH_PAUSED,
	BATCH_COMPLETED,
	BATCH_FAILED,
	BATCH_CANCELLED,
	BATCH_STATUS__MAX,
	BATCH_DELETED = BATCH_STATUS__MAX, /* seen by nobody; its rows leave in the background */
};

extern const char *const batch_status_names[BATCH_STATUS__MAX + 1]; /* NULL-terminated */

/* What clients and the scheduler do to a campaign. One table says in which states, and what follows. */
enum batch_action {
	BATCH_CHANGE, /* PATCH */
	BATCH_ADD_CONTACTS,
	BATCH_REMOVE_CONTACT,
	BATCH_REMOVE_CONTACTS, /* all of them */
	BATCH_SCHEDULE,
	BATCH_PAUSE,
	BATCH_RESUME,
	BATCH_CANCEL,
	BATCH_DELETE,
	BATCH_START,    /* the first call is dispatched */
	BATCH_COMPLETE, /* every contact is final */
	BATCH_FAIL,     /* nothing can ever be called */
	BATCH_ACTION__MAX
};

extern const char *const batch_action_names[BATCH_ACTION__MAX];
bool batch_allows(enum batch_status status, enum batch_action action);
/* The state after an allowed action; `start_ahead`: its scheduled start has not come yet. */
enum batch_status batch_after(enum batch_status status, enum batch_action action, bool start_ahead);
/* Calls are placed, or will be when their time comes. */
bool batch_is_running(enum batch_status status);
/* Contacts that wait are planned. */
bool batch_has_plan(enum batch_status status);
/* Nothing is called any more; a campaign that has failed may be scheduled again. */
bool batch_is_over(enum batch_status status);
/* Nothing ever will be. */
bool batch_is_final(enum batch_status status);

/* What a scheduler does next for a campaign when its wake_at has come. */
enum batch_work {
	BATCH_WORK_DISPATCH,
	BATCH_WORK_CLEAR_PLAN,
	BATCH_WORK_PLAN,
	BATCH_WORK_PURGE,
	BATCH_WORK_COPY, /* contacts of a large folder or campaign; then, unless it is a draft, they are planned */
};

enum rotation { ROTATION_RANDOM, ROTATION_SEQUENTIAL, ROTATION_ROUND_ROBIN, ROTATION__MAX };
extern const char *const rotation_names[ROTATION__MAX + 1];
enum contact_source {
	CONTACT_SOURCE_CSV,
	CONTACT_SOURCE_MANUAL,
	CONTACT_SOURCE_FOLDER,
	CONTACT_SOURCE_CAMPAIGN,
	CONTACT_SOURCE__MAX
};
extern const char *const contact_source_names[CONTACT_SOURCE__MAX + 1];
enum schedule_type { SCHEDULE_IMMEDIATE, SCHEDULE_SCHEDULED, SCHEDULE__MAX };
extern const char *const schedule_type_names[SCHEDULE__MAX + 1];

/* Everything that a client sets. batch_fields reads request bodies into it. */
struct batch_config {
	const char *name;
	struct uuid agent_id;
	struct field_list phone_number_ids; /* of struct uuid */
	int phone_rotation_strategy;
	int contact_source;
	struct uuid contact_folder_id; /* its contacts are copied; nil: none */
	struct uuid source_campaign_id; /* the same of a campaign */
	unsigned source_statuses;      /* bit set of enum contact_status: only those with such a result; 0: all */
	struct field_list contact_ids; /* of struct uuid: contacts that are copied. Not stored */
	struct field_list contacts; /* of struct contact_input */
	int schedule_type;
	struct when scheduled_at; /* us is INSTANT_NONE: not set */
	const char *timezone;
	int window_start, window_end; /* minutes of the local day; both -1: the whole day */
	unsigned working_days;        /* bit 0 is Monday */
	struct field_list calling_windows; /* of struct calling_window; not empty: they stand in for the three above */
	struct field_list excluded_dates; /* of int32_t civil days */
	bool respect_contact_timezone;
	int64_t max_concurrent_calls;
	int64_t max_calls_per_day; /* 0: no cap */
	int64_t calls_per_minute;  /* 0: no pacing */
	bool retry_failed;
	int64_t max_retry_attempts;
	unsigned retry_on; /* bit i: retry_outcome_names[i] */
	int64_t retry_delay_minutes;
	const char *metadata; /* a JSON object or "" */
};

#define BATCH_MAX_CONTACTS_INLINE 10000 /* also of contact_ids */
#define BATCH_MAX_NUMBERS 100
#define BATCH_ZONE_TROUBLE 256 /* bytes of text */

extern const struct field_table batch_fields;
extern const struct field_table contacts_fields; /* struct batch_config, `contacts` alone */
extern const struct field_table schedule_fields; /* struct batch_config, `scheduled_at` and `timezone` */

/* The first of the given fields (a bit set over batch_fields) that cannot be changed once the campaign is
 * active, because what was done rests on it; NULL: none. */
const char *batch_field_fixed_when_active(uint64_t given);

/* Rules between fields, after each was read alone: adds the faults it finds. `given`: the fields of the table
 * that the client named just now. Makes scheduled_at an instant where it was given as wall time. */
void batch_config_settle(struct batch_config *config, const struct field_table *table, uint64_t given,
                         struct faults *faults);

/* Adds a fault when the campaign would start more than a day ago: such a request means another day. The start that
 * the campaign had before (INSTANT_NONE: it had none) may be given again. */
void batch_config_judge_start(const struct batch_config *config, int64_t before_us, int64_t now_us, struct faults *faults);

struct plan_rules batch_plan_rules(const struct batch_config *config);
/* The calendar of contacts who are in these zones (names, a space between two; NULL: nobody knows). */
struct calendar batch_calendar(const struct batch_config *config, const char *zones);
/* Writes why this calendar cannot be read now, for the campaign's zone_trouble, and returns true; false: it can be. `waiting`
 * contacts wait for that; 0: the whole campaign does. */
bool batch_write_zone_trouble(char out[BATCH_ZONE_TROUBLE], const struct calendar *calendar, int64_t waiting);
/* Whether the zone that this text is about can be read now. */
bool batch_zone_trouble_is_over(const char *text);
struct retry_rules batch_retry_rules(const struct batch_config *config);
/* A change between the two makes the plan of waiting contacts wrong. */
bool batch_plan_differs(const struct batch_config *a, const struct batch_config *b);

/* What a campaign waits for outside of itself; it goes on by itself when that has come. The numbers are those of
 * statements/campaigns.def. */
enum batch_wait { BATCH_WAITS_NOT, BATCH_WAITS_FOR_WEBHOOK, BATCH_WAITS_FOR_SYNC, BATCH_WAITS_FOR_AGENT, BATCH_WAIT__MAX };

/* How far a campaign is: contacts per status; all sum up to `total`. */
struct batch_counts {
	int64_t total, called, pending, in_progress;
	int64_t completed, failed, voicemail, no_answer, busy, cancelled, skipped;
	int64_t given_up; /* of the cancelled ones: they wait, and the campaign is over */
};

/* What waits in a campaign that is over counts as cancelled, and as pending when the campaign is scheduled again. */
void batch_counts_settle(struct batch_counts *counts, enum batch_status status);

#define BATCH_PROGRESS_MAX 1000

struct batch {
	int64_t id, organization_id, agent_row;
	struct uuid uuid;
	struct batch_config config;
	const char *from_number; /* the first of its numbers, "" */
	bool has_contact_ids;    /* some of its contacts are copies: the outcome of a call is noted there too */
	enum batch_status status;
	const char *status_reason;
	const char *held_by;   /* the gate that holds its next call, as of the scheduler's last look; "": none */
	int64_t held_until_us; /* INSTANT_NEVER: no instant ends that */
	int64_t progress;      /* thousandths of the contacts that are done, as of that look */
	char zone_trouble[BATCH_ZONE_TROUBLE]; /* it waits for a time zone that could not be read; "": it does not */
	enum batch_wait waits_for; /* while it runs */
	int64_t dialer_places; /* its dialer asked to slow down: calls at once, for now; 0: did not ask */
	struct batch_counts counts;
	int64_t planned_from_us, planned_until_us, started_at_us, completed_at_us;
	int64_t created_at_us, updated_at_us;
	int64_t changed_by; /* row of the key that changes it now; 0: Outdial itself. Not stored */
	/* The scheduler's side, see sql/: */
	enum batch_work work;
	int64_t wake_at_us;
	int32_t day;
	int64_t day_calls;
	int64_t plan_position;
	struct plan_cursor plan;
};

/* The number that the next call is made from: an index below `count` (> 0). `called` contacts of
 * `total` were called before, in `claimed` calls; `dice` is any random number. */
int rotation_pick(enum rotation rotation, int count, int64_t called, int64_t total, int64_t claimed,
                  uint32_t dice);

#endif
