/* The script of a simulation: the campaign, whom it calls, how the people called and its dialer behave, and what its
 * users do when. The same seed makes the same chances. */
#ifndef SCHEDULER_SCRIPT_H
#define SCHEDULER_SCRIPT_H

#include "base/field.h"
#include "domain/call.h"

/* Contacts of one kind. */
struct script_people {
	int64_t count;
	const char *timezone;     /* "": none of their own */
	const char *phone_prefix; /* their numbers are this and seven digits */
};

enum script_deed { SCRIPT_PAUSE, SCRIPT_RESUME, SCRIPT_CANCEL, SCRIPT_CHANGE, SCRIPT_ADD, SCRIPT_SUPPRESS, SCRIPT__MAX };
extern const char *const script_deed_names[SCRIPT__MAX + 1];

struct script_action {
	struct when at;          /* wall time is the campaign's zone's */
	int deed;                /* enum script_deed */
	const char *changes;     /* SCRIPT_CHANGE: a JSON object, as PATCH takes it */
	int64_t count;           /* SCRIPT_ADD: of contacts of the first kind; SCRIPT_SUPPRESS: the contact's position */
};

struct script {
	struct when starts_at;   /* the clock stands here at first; wall time is the campaign's zone's */
	const char *campaign;    /* a JSON object: fields of POST /batch-calls but for ids and contacts */
	struct field_list people;  /* of struct script_people */
	struct field_list actions; /* of struct script_action, in the order of the file */
	int64_t numbers, days, seed;
	int64_t outcomes[CALL_STATUS__MAX]; /* how many of their sum end so */
	int64_t ring_seconds, min_call_seconds, max_call_seconds;
};

/* Reads the file (`-`: standard input). What is wrong with it ends the process with a message that names the field. */
struct script script_read(const char *path, struct arena *arena);

/* How the next call ends, and how long it takes. */
struct script_ending {
	enum call_status status;
	int64_t seconds;
};
struct script_ending script_next_ending(struct script *script);

/* Ends the process when the body has faults; `where` says what was read. */
void script_require(const char *where, enum field_result result, const struct faults *faults);

#endif
