#include "domain/contact.h"

#include <stddef.h>
#include <stdlib.h>

#include "domain/number_zones.h"

const char *const contact_status_names[CONTACT_STATUS__MAX + 1] = {
	"pending",   "scheduled", "in_progress", "completed", "failed", "voicemail",
	"no_answer", "busy",      "cancelled",   "skipped",   NULL,
};

const char *const skip_reason_names[SKIP_REASON__MAX] = { "", "duplicate", "do_not_call", "no_calling_window",
	                                                      "removed" };

const char *contact_zones(const char *timezone, const char *phone_number)
{
	return *timezone != '\0' ? timezone : number_zones(phone_number);
}

enum contact_status contact_status_after(enum call_status ended)
{
	switch (ended) {
	case CALL_COMPLETED: return CONTACT_COMPLETED;
	case CALL_FAILED: return CONTACT_FAILED;
	case CALL_NO_ANSWER: return CONTACT_NO_ANSWER;
	case CALL_BUSY: return CONTACT_BUSY;
	case CALL_VOICEMAIL: return CONTACT_VOICEMAIL;
	case CALL_CANCELLED: return CONTACT_CANCELLED;
	default: abort(); /* a call that has not ended */
	}
}

enum contact_status contact_status_without(enum call_status last)
{
	return call_has_ended(last) ? contact_status_after(last) : CONTACT_SKIPPED;
}
