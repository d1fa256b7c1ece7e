/* Constants in the texts of statements. NUMBER(BATCH_DELETED) is "7"; the compiler checks that it is the number of
 * BATCH_DELETED. */
#ifndef STORE_CONSTANTS_H
#define STORE_CONSTANTS_H

#include "domain/agent.h"
#include "domain/batch.h"
#include "domain/call.h"
#include "domain/contact.h"
#include "domain/contact_limit.h"
#include "domain/event.h"
#include "domain/organization.h"
#include "domain/webhook.h"
#include "store/page.h"
#include "store/process_store.h"

#define NUMBER_TEXT(number) #number
#define NUMBER_TEXT_OF(number) NUMBER_TEXT(number)
#define NUMBER(name) NUMBER_TEXT_OF(NUMBER_##name)
#define NUMBER_IS(name) (name == NUMBER_##name)

#define NUMBER_BATCH_DRAFT 0
#define NUMBER_BATCH_SCHEDULED 1
#define NUMBER_BATCH_ACTIVE 2
#define NUMBER_BATCH_PAUSED 3
#define NUMBER_BATCH_COMPLETED 4
#define NUMBER_BATCH_FAILED 5
#define NUMBER_BATCH_CANCELLED 6
#define NUMBER_BATCH_DELETED 7
_Static_assert(NUMBER_IS(BATCH_DRAFT) && NUMBER_IS(BATCH_SCHEDULED) && NUMBER_IS(BATCH_ACTIVE) &&
                   NUMBER_IS(BATCH_PAUSED) && NUMBER_IS(BATCH_COMPLETED) && NUMBER_IS(BATCH_FAILED) &&
                   NUMBER_IS(BATCH_CANCELLED) && NUMBER_IS(BATCH_DELETED),
               "statements have other numbers");

#define NUMBER_PROCESS_API 0
#define NUMBER_PROCESS_SCHEDULER 1
_Static_assert(NUMBER_IS(PROCESS_API) && NUMBER_IS(PROCESS_SCHEDULER), "statements have other numbers");

#define NUMBER_BATCH_WORK_DISPATCH 0
#define NUMBER_BATCH_WORK_CLEAR_PLAN 1
#define NUMBER_BATCH_WORK_PLAN 2
#define NUMBER_BATCH_WORK_PURGE 3
#define NUMBER_BATCH_WORK_COPY 4
#define NUMBER_BATCH_WORK_SETTLE 5
_Static_assert(NUMBER_IS(BATCH_WORK_DISPATCH) && NUMBER_IS(BATCH_WORK_CLEAR_PLAN) && NUMBER_IS(BATCH_WORK_PLAN) &&
                   NUMBER_IS(BATCH_WORK_PURGE) && NUMBER_IS(BATCH_WORK_COPY) && NUMBER_IS(BATCH_WORK_SETTLE),
               "statements have other numbers");

#define NUMBER_BATCH_WAITS_NOT 0
#define NUMBER_BATCH_WAITS_FOR_WEBHOOK 1
#define NUMBER_BATCH_WAITS_FOR_SYNC 2
#define NUMBER_BATCH_WAITS_FOR_AGENT 3
_Static_assert(NUMBER_IS(BATCH_WAITS_NOT) && NUMBER_IS(BATCH_WAITS_FOR_WEBHOOK) && NUMBER_IS(BATCH_WAITS_FOR_SYNC) &&
                   NUMBER_IS(BATCH_WAITS_FOR_AGENT),
               "statements have other numbers");

#define NUMBER_CALL_QUEUED 0
#define NUMBER_CALL_DISPATCHED 1
#define NUMBER_CALL_RINGING 2
#define NUMBER_CALL_IN_PROGRESS 3
#define NUMBER_CALL_COMPLETED 4
#define NUMBER_CALL_FAILED 5
#define NUMBER_CALL_NO_ANSWER 6
#define NUMBER_CALL_BUSY 7
#define NUMBER_CALL_VOICEMAIL 8
#define NUMBER_CALL_CANCELLED 9
_Static_assert(NUMBER_IS(CALL_QUEUED) && NUMBER_IS(CALL_DISPATCHED) && NUMBER_IS(CALL_RINGING) &&
                   NUMBER_IS(CALL_IN_PROGRESS) && NUMBER_IS(CALL_COMPLETED) && NUMBER_IS(CALL_FAILED) &&
                   NUMBER_IS(CALL_NO_ANSWER) && NUMBER_IS(CALL_BUSY) && NUMBER_IS(CALL_VOICEMAIL) &&
                   NUMBER_IS(CALL_CANCELLED),
               "statements have other numbers");

#define NUMBER_CONTACT_PENDING 0
#define NUMBER_CONTACT_IN_PROGRESS 2
#define NUMBER_CONTACT_COMPLETED 3
#define NUMBER_CONTACT_FAILED 4
#define NUMBER_CONTACT_VOICEMAIL 5
#define NUMBER_CONTACT_NO_ANSWER 6
#define NUMBER_CONTACT_BUSY 7
#define NUMBER_CONTACT_CANCELLED 8
#define NUMBER_CONTACT_SKIPPED 9
_Static_assert(NUMBER_IS(CONTACT_PENDING) && NUMBER_IS(CONTACT_IN_PROGRESS) && NUMBER_IS(CONTACT_COMPLETED) &&
                   NUMBER_IS(CONTACT_FAILED) && NUMBER_IS(CONTACT_VOICEMAIL) && NUMBER_IS(CONTACT_NO_ANSWER) &&
                   NUMBER_IS(CONTACT_BUSY) && NUMBER_IS(CONTACT_CANCELLED) && NUMBER_IS(CONTACT_SKIPPED),
               "statements have other numbers");

#define NUMBER_SKIP_NONE 0
#define NUMBER_SKIP_DUPLICATE 1
#define NUMBER_SKIP_DO_NOT_CALL 2
#define NUMBER_SKIP_REMOVED 4
_Static_assert(NUMBER_IS(SKIP_NONE) && NUMBER_IS(SKIP_DUPLICATE) && NUMBER_IS(SKIP_DO_NOT_CALL) &&
                   NUMBER_IS(SKIP_REMOVED),
               "statements have other numbers");

#define NUMBER_AGENT_CREATING 1
#define NUMBER_AGENT_ACTIVE 2
#define NUMBER_AGENT_FAILED 3
_Static_assert(NUMBER_IS(AGENT_CREATING) && NUMBER_IS(AGENT_ACTIVE) && NUMBER_IS(AGENT_FAILED),
               "statements have other numbers");

#define NUMBER_DELIVERY_WAITING 0
#define NUMBER_DELIVERY_DELIVERED 1
#define NUMBER_DELIVERY_FAILED 2
_Static_assert(NUMBER_IS(DELIVERY_WAITING) && NUMBER_IS(DELIVERY_DELIVERED) && NUMBER_IS(DELIVERY_FAILED),
               "statements have other numbers");

#define NUMBER_ORGANIZATION_ARRIVING 3
#define NUMBER_ORGANIZATION_DROPPED 4
_Static_assert(NUMBER_IS(ORGANIZATION_ARRIVING) && NUMBER_IS(ORGANIZATION_DROPPED), "statements have other numbers");

/* Other numbers that statements and code share: LITERAL(PLAN_ROWS) is "5000". */
#define LITERAL(number) NUMBER_TEXT_OF(number)

/* Rows of one transaction. */
#define PLAN_ROWS 5000
#define PURGE_ROWS 1000

/* Rows at which counting ends, as PAGE_COUNTED_ROWS. */
#define CAMPAIGNS_COUNTED_ROWS 10001
#define EXPLAIN_COUNTED_ROWS 10001
#define METRICS_COUNTED_ROWS 100001

/* Rows of which the rest is left out. */
#define OVERVIEW_COUNTED_MAX 10000
#define CALLS_TALLIED_MAX 10000

/* The work on campaigns that is done in the background: all but BATCH_WORK_DISPATCH. */
#define BACKGROUND_WORKS(W) \
	W(BATCH_WORK_CLEAR_PLAN) W(BATCH_WORK_PLAN) W(BATCH_WORK_PURGE) W(BATCH_WORK_COPY) W(BATCH_WORK_SETTLE)
#define COUNT_WORK(work) +1
_Static_assert(1 BACKGROUND_WORKS(COUNT_WORK) == BATCH_WORK__MAX, "statements do not know all kinds of work");

/* Sets of numbers of enums. */
#define BATCHES_RUNNING "(" NUMBER(BATCH_SCHEDULED) ", " NUMBER(BATCH_ACTIVE) ")"
#define CALLS_ACCEPTED "(" NUMBER(CALL_DISPATCHED) ", " NUMBER(CALL_RINGING) ", " NUMBER(CALL_IN_PROGRESS) ")"
#define CALLS_IN_FLIGHT \
	"(" NUMBER(CALL_QUEUED) ", " NUMBER(CALL_DISPATCHED) ", " NUMBER(CALL_RINGING) ", " NUMBER(CALL_IN_PROGRESS) ")"

/* The status_reason of campaigns that `outdial pause` has paused. `outdial resume` finds them by it. */
#define OPERATOR_PAUSED "the operator has paused all campaigns"

#endif
