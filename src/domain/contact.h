/* One person in one campaign. The numbers are stored (batch_contacts.status). */
#ifndef DOMAIN_CONTACT_H
#define DOMAIN_CONTACT_H

#include <stdint.h>

#include "base/field.h"
#include "base/uuid.h"
#include "domain/call.h"

enum contact_status {
	CONTACT_PENDING,   /* waits; nothing planned yet */
	CONTACT_SCHEDULED, /* waits for a planned instant. Derived, never stored */
	CONTACT_IN_PROGRESS,
	CONTACT_COMPLETED, /* from here on: final */
	CONTACT_FAILED,
	CONTACT_VOICEMAIL,
	CONTACT_NO_ANSWER,
	CONTACT_BUSY,
	CONTACT_CANCELLED, /* also derived, for contacts that wait in a cancelled campaign */
	CONTACT_SKIPPED,   /* will not be called: see skip_reason */
	CONTACT_STATUS__MAX
};

/* Why a contact is skipped. The numbers are stored. */
enum skip_reason {
	SKIP_NONE,
	SKIP_DUPLICATE,         /* the same number comes earlier in the campaign */
	SKIP_DO_NOT_CALL,       /* the number is on the organisation's do-not-call list */
	SKIP_NO_CALLING_WINDOW, /* the windows in its zones never overlap */
	SKIP_REMOVED,           /* it was removed from its campaign by a client: its status is cancelled */
	SKIP_REASON__MAX
};

extern const char *const skip_reason_names[SKIP_REASON__MAX];

extern const char *const contact_status_names[CONTACT_STATUS__MAX + 1]; /* NULL-terminated */

/* Returns the zones that a contact may be in, names separated by spaces: its own zone if it is known, else the zones of
 * its number. NULL: not known. */
const char *contact_zones(const char *timezone, const char *phone_number);

/* Returns the final status of a contact whose last attempt ended like this. */
enum contact_status contact_status_after(enum call_status ended);
/* Returns the final status of a contact that will not be called (any more). It is skipped if it was never called
 * (CALL_QUEUED). */
enum contact_status contact_status_without(enum call_status last);

/* A contact as a client sends it. */
struct contact_input {
	const char *phone_number, *first_name, *last_name, *email, *timezone;
	const char *custom_fields; /* a JSON object or "" */
};

/* Members of a contact. */
enum contact_members {
	CONTACT_HAS_FIRST_NAME = 1,
	CONTACT_HAS_LAST_NAME = 2,
	CONTACT_HAS_EMAIL = 4,
	CONTACT_HAS_TIMEZONE = 8,
	CONTACT_HAS_CUSTOM_FIELDS = 16,
	CONTACT_HAS_ALL = 31,
};

#define CONTACT_NAME_MAX 255 /* characters */
#define CONTACT_EMAIL_MAX 320
#define CONTACT_CUSTOM_FIELDS_MAX 16384 /* bytes of JSON */

extern const struct field_table contact_input_fields;

/* A stored contact, in a folder or in none. */
struct contact {
	int64_t id, folder_row; /* folder_row 0: in no folder */
	struct uuid uuid;
	struct uuid folder_id; /* nil: in no folder */
	struct contact_input who;
	int last_call_outcome; /* enum call_status of the last call that ended; -1: never called */
	int64_t last_called_at_us, created_at_us, updated_at_us;
};

extern const struct field_table contact_fields; /* struct contact: the fields that a client sets */

struct contact_folder {
	int64_t id;
	struct uuid uuid;
	const char *name, *description;
	int64_t contact_count;
	int64_t created_at_us, updated_at_us;
};

extern const struct field_table contact_folder_fields;

#endif
