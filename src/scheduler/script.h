/* The script of a simulation: the campaign, its contacts, the behaviour of contacts and dialer, and the actions of
 * users with their times. The same seed gives the same results. */
#ifndef SCHEDULER_SCRIPT_H
#define SCHEDULER_SCRIPT_H

#include "base/field.h"
#include "domain/call.h"

/* Contacts of one kind. */
struct script_people {
	int64_t count;
	const char *timezone;     /* "": none */
	const char *phone_prefix; /* their numbers are this and seven digits */
};

enum script_deed {
	SCRIPT_PAUSE,
	SCRIPT_RESUME,
	SCRIPT_CANCEL,
	SCRIPT_CHANGE,
	SCRIPT_ADD,
	SCRIPT_SUPPRESS,
	SCRIPT__MAX
};
extern const char *const script_deed_names[SCRIPT__MAX + 1];

struct script_action {
	struct when at;      /* wall time is in the campaign's zone */
	int deed;            /* enum script_deed */
	const char *changes; /* SCRIPT_CHANGE: a JSON object, as PATCH takes it */
	int64_t count;       /* SCRIPT_ADD: of contacts of the first kind; SCRIPT_SUPPRESS: the contact's position */
};

struct script {
	struct when starts_at;     /* when the clock begins; wall time is in the campaign's zone */
	const char *campaign;      /* a JSON object: fields of POST /batch-calls but for ids and contacts */
	struct field_list people;  /* of struct script_people */
	struct field_list actions; /* of struct script_action, in the order of the file */
	int64_t numbers, days, seed;
	int64_t outcomes[CALL_STATUS__MAX]; /* how many calls of their sum end with this status */
	int64_t ring_seconds, min_call_seconds, max_call_seconds;
	/* how many of a hundred completed calls ask for a callback, and how long after */
	int64_t callback_percent, callback_minutes;
};

/* Reads the file (`-`: standard input). A fault ends the process with a message that names the field. */
struct script script_read(const char *path, struct arena *arena);

/* The status with which the next call ends, and how long it takes. */
struct script_ending {
	enum call_status status;
	int64_t seconds;
	int64_t callback_us; /* after the end; 0: not asked for */
};
struct script_ending script_next_ending(struct script *script);

/* Ends the process when the body has faults; `where` names the text. */
void script_require(const char *where, enum field_result result, const struct faults *faults);

#endif
