/* One person in one campaign. The numbers are stored (batch_contacts.status). */
#ifndef DOMAIN_CONTACT_H
#define DOMAIN_CONTACT_H

#include <stdint.h>

#include "base/uuid.h"
#include "domain/call.h"

enum contact_status {
	CONTACT_PENDING,     /* waits; nothing planned yet */
	CONTACT_SCHEDULED,   /* waits for a planned instant. Derived, never stored */
	CONTACT_IN_PROGRESS,
	CONTACT_COMPLETED,   /* from here on: final */
	CONTACT_FAILED,
	CONTACT_VOICEMAIL,
	CONTACT_NO_ANSWER,
	CONTACT_BUSY,
	CONTACT_CANCELLED,   /* also derived, for contacts that wait in a cancelled campaign */
	CONTACT_SKIPPED,     /* will not be called: see skip_reason */
	CONTACT_STATUS__MAX
};

/* Why a contact is skipped. */
enum skip_reason {
	SKIP_NONE,
	SKIP_DUPLICATE,   /* the same number stands earlier in the campaign */
	SKIP_DO_NOT_CALL, /* the number is on the organisation's do-not-call list */
	SKIP_REASON__MAX
};

extern const char *const skip_reason_names[SKIP_REASON__MAX];

extern const char *const contact_status_names[CONTACT_STATUS__MAX + 1]; /* NULL-terminated */

/* The final status of a contact whose last attempt ended so. */
enum contact_status contact_status_after(enum call_status ended);

/* A contact as a client gives it. */
struct contact_input {
	const char *phone_number, *first_name, *last_name, *email, *timezone;
	const char *custom_fields; /* a JSON object or "" */
};

#endif
