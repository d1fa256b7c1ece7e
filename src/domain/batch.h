/* A campaign ("batch call"): its configuration, its states, and which action is allowed in which state. The numbers of
 * the enums are stored. */
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
	BATCH_DELETED = BATCH_STATUS__MAX, /* invisible; its rows are removed in the background */
};

extern const char *const batch_status_names[BATCH_STATUS__MAX + 1]; /* NULL-terminated */

/* What clients and the scheduler do to a campaign. One table says in which states an action is allowed, and which state
 * follows. */
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
/* Returns the state after an allowed action. `start_ahead`: the scheduled start has not come yet. */
enum batch_status batch_after(enum batch_status status, enum batch_action action, bool start_ahead);
/* Returns whether calls are placed now, or will be when their time comes. */
bool batch_is_running(enum batch_status status);
/* Returns whether contacts that wait are planned. */
bool batch_has_plan(enum batch_status status);
/* Returns whether nothing is called any more. A campaign that has failed may be scheduled again. */
bool batch_is_over(enum batch_status status);
/* Returns whether the campaign can never call again. */
bool batch_is_final(enum batch_status status);

/* What a scheduler does next for a campaign, when its wake_at has come. */
enum batch_work {
	BATCH_WORK_DISPATCH,
	BATCH_WORK_CLEAR_PLAN,
	BATCH_WORK_PLAN,
	BATCH_WORK_PURGE,
	/* contacts of a large folder or campaign are copied; then they are planned, unless the campaign is a draft */
	BATCH_WORK_COPY,
	BATCH_WORK_SETTLE, /* contacts of a cancelled campaign get the outcome of their last call */
	BATCH_WORK__MAX
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
enum contacts_position { CONTACTS_AT_END, CONTACTS_AT_FRONT, CONTACTS_POSITION__MAX };
extern const char *const contacts_position_names[CONTACTS_POSITION__MAX + 1];
enum schedule_type { SCHEDULE_IMMEDIATE, SCHEDULE_SCHEDULED, SCHEDULE__MAX };
extern const char *const schedule_type_names[SCHEDULE__MAX + 1];

/* The configuration that a client sets. batch_fields reads request bodies into it. */
struct batch_config {
	const char *name;
	struct uuid agent_id;
	struct field_list phone_number_ids; /* of struct uuid */
	int phone_rotation_strategy;
	int contact_source;
	struct uuid contact_folder_id;  /* contacts of this folder are copied; nil: none */
	struct uuid source_campaign_id; /* contacts of this campaign are copied; nil: none */
	/* bit set of enum contact_status: only contacts with these results are copied; 0: all */
	unsigned source_statuses;
	struct field_list contact_ids; /* of struct uuid: these contacts are copied. Not stored */
	struct field_list contacts;    /* of struct contact_input */
	int contacts_position;         /* enum contacts_position: of contacts that are added. Not stored */
	int schedule_type;
	struct when scheduled_at; /* us is INSTANT_NONE: not set */
	const char *timezone;
	int window_start, window_end; /* minutes of the local day; both -1: the whole day */
	unsigned working_days;        /* bit 0 is Monday */
	/* of struct calling_window; if there are any, they replace window_start and window_end */
	const char *calling_hours; /* a preset (domain/calling_hours.h) that sets calling_windows. Not stored */
	struct field_list calling_windows;
	struct field_list excluded_dates; /* of int32_t civil days */
	bool respect_contact_timezone;
	int64_t max_concurrent_calls;
	int64_t max_calls_per_day; /* 0: no cap */
	int64_t calls_per_minute;  /* 0: no pacing */
	bool retry_failed;
	int64_t max_retry_attempts;
	unsigned retry_on; /* bit i: retry_outcome_names[i] */
	int64_t retry_delay_minutes;
	struct field_list retry_rules; /* of struct retry_rule: outcomes that these four do not hold for */
	const char *metadata;          /* a JSON object or "" */
};

#define BATCH_MAX_CONTACTS_INLINE 10000 /* also of contact_ids */
#define BATCH_MAX_NUMBERS 100
#define BATCH_ZONE_TROUBLE 256 /* bytes of text */

extern const struct field_table batch_fields;
extern const struct field_table contacts_fields; /* struct batch_config, `contacts` and their position */
extern const struct field_table schedule_fields; /* struct batch_config, `scheduled_at` and `timezone` */

/* Returns the first of the given fields (a bit set over batch_fields) that cannot be changed while the campaign is
 * active, because its calls depend on it; NULL: none. */
const char *batch_field_fixed_when_active(uint64_t given);

/* Checks the rules between fields, after each field was read alone, and adds the faults. `given`: the fields that the
 * client sent just now. Converts a scheduled_at that was given as wall time. */
void batch_config_settle(struct batch_config *config, const struct field_table *table, uint64_t given,
                         struct faults *faults);

/* Adds a fault if the campaign would start more than a day ago, because the client has probably mistaken the day. The
 * start that the campaign had before (INSTANT_NONE: none) may be given again. */
void batch_config_judge_start(const struct batch_config *config, int64_t before_us, int64_t now_us,
                              struct faults *faults);

struct plan_rules batch_plan_rules(const struct batch_config *config);
/* Returns the calendar of contacts in these zones (names separated by spaces; NULL: the zone is not known). */
struct calendar batch_calendar(const struct batch_config *config, const char *zones);
/* If this calendar cannot be read now, writes why, for the campaign's zone_trouble, and returns true. `waiting`
 * contacts wait for that; 0: the whole campaign does. */
bool batch_write_zone_trouble(char out[BATCH_ZONE_TROUBLE], const struct calendar *calendar, int64_t waiting);
/* Returns whether the zone that this text names can be read now. */
bool batch_zone_trouble_is_over(const char *text);
struct retry_rules batch_retry_rules(const struct batch_config *config);
/* Returns whether a change from one configuration to the other makes the plan of waiting contacts wrong. */
bool batch_plan_differs(const struct batch_config *a, const struct batch_config *b);

/* What a campaign waits for that is not part of it. It goes on by itself when the wait is over. */
enum batch_wait {
	BATCH_WAITS_NOT,
	BATCH_WAITS_FOR_WEBHOOK,
	BATCH_WAITS_FOR_SYNC,
	BATCH_WAITS_FOR_AGENT,
	BATCH_WAIT__MAX
};

/* The progress of a campaign: contacts per status. All but given_up add up to `total`. */
struct batch_counts {
	int64_t total, called, pending, in_progress;
	int64_t completed, failed, voicemail, no_answer, busy, cancelled, skipped;
	int64_t given_up; /* cancelled contacts that would wait if the campaign were not over */
};

/* Contacts that wait count as cancelled in a campaign that is over, and as pending when it is scheduled again. */
void batch_counts_settle(struct batch_counts *counts, enum batch_status status);

#define BATCH_PROGRESS_MAX 1000

struct batch {
	int64_t id, organization_id, agent_row;
	struct uuid uuid;
	struct batch_config config;
	const char *from_number; /* the first of its numbers; "": it has none */
	bool has_contact_ids;    /* some contacts are copies of stored contacts, which get the outcome of the call too */
	enum batch_status status;
	const char *status_reason;
	const char *held_by;   /* the gate that held the next call when the scheduler looked last; "": none */
	int64_t held_until_us; /* INSTANT_NEVER: the gate does not open at a known instant */
	int64_t progress;      /* finished contacts, in thousandths, when the scheduler looked last */
	/* why it waits for a time zone that could not be read; "": it does not wait */
	char zone_trouble[BATCH_ZONE_TROUBLE];
	enum batch_wait waits_for; /* while it runs */
	int64_t dialer_places; /* how many calls at once its dialer accepts now; 0: the dialer did not ask to slow down */
	struct batch_counts counts;
	int64_t planned_from_us, planned_until_us, started_at_us, completed_at_us;
	int64_t created_at_us, updated_at_us;
	bool moves_by_itself; /* the last change of its state was made by Outdial itself. Not stored */
	/* For the scheduler; sql/ explains these columns. */
	enum batch_work work;
	int64_t wake_at_us;
	int32_t day;
	int64_t day_calls;
	int64_t plan_position;
	int64_t front_from; /* the first of its contacts that was added at the front; 0: none was */
	struct plan_cursor plan;
};

/* Returns which number the next call is made from: an index below `count` (> 0). So far `called` contacts of `total`
 * were called, in `claimed` calls. `random_bits` is any random number. */
int rotation_pick(enum rotation rotation, int count, int64_t called, int64_t total, int64_t claimed,
                  uint32_t random_bits);

#endif
