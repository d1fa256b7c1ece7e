/* The requirements of a plan: an agent that is ready, numbers, contacts that wait, a day on which the campaign can
 * call. If a requirement is not met, a function returns DB_REFUSED and sets request->refusal. */
#ifndef ENGINE_CAMPAIGN_RULES_H
#define ENGINE_CAMPAIGN_RULES_H

#include "engine/campaign.h"

/* Returns DB_REFUSED. */
enum db_result campaign_refuse(struct campaign_request *request, enum refusal refusal);

/* Finds and locks the agent that the client named. */
enum db_result campaign_find_agent(struct db *db, struct campaign_request *request);
/* Locks the agent that the campaign has. */
enum db_result campaign_judge_agent(struct db *db, struct campaign_request *request);

/* Writes the numbers that the client named, or else the numbers of the agent, in place of the present numbers. */
enum db_result campaign_save_numbers(struct db *db, struct campaign_request *request);
enum db_result campaign_set_first_numbers(struct db *db, struct campaign_request *request);
/* Finds what campaign_save_numbers would write, and the pace of these numbers. */
enum db_result campaign_find_numbers(struct db *db, struct campaign_request *request);

enum db_result campaign_judge_start(struct campaign_request *request);
/* Can be passed to db_rehearse: `context` is the request. */
enum db_result campaign_judge_prerequisites(struct db *db, void *context);
enum db_result campaign_judge_resume(struct db *db, struct campaign_request *request);

#endif
