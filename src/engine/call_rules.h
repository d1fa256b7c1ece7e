/* What is judged once more before a claimed call is requested, or handed out. Since the claim, or since the last try,
 * its campaign may have been paused, cancelled or changed, or its number may have been put on the do-not-call list.
 * Pace, cap, places and contact limits are not judged again: they counted the attempt when it was claimed. */
#ifndef ENGINE_CALL_RULES_H
#define ENGINE_CALL_RULES_H

#include "store/dispatch_store.h"

/* Returns whether the call may begin at this instant, by facts that were just read. If not, *report says what becomes
 * of it: it is cancelled, or goes back to the plan of its campaign, where it takes no place. */
bool call_may_begin(const struct requested_call *call, int64_t at_us, int64_t give_up_after_us,
                    struct call_report *report);

/* Returns the conclusion that no dialer answered (CALL_UNASKED, CALL_EXPIRED). give_up_after_us: how much callable time
 * the attempt may wait for an answer. */
struct call_report call_conclude_unanswered(const struct uuid *id, enum call_premise premise, int64_t give_up_after_us);

#endif
