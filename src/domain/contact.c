#include "domain/contact.h"

#include <stddef.h>
#include <stdlib.h>

const char *const contact_status_names[CONTACT_STATUS__MAX + 1] = {
	"pending", "scheduled", "in_progress", "completed", "failed", "voicemail",
	"no_answer", "busy", "cancelled", "skipped", NULL,
};

const char *const skip_reason_names[SKIP_REASON__MAX] = { "", "duplicate", "do_not_call" };

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
