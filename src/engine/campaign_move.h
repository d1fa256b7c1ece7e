/* Changes the state of campaigns, which no other file does; plans them and copies contacts. Everything here runs inside
 * a transaction that holds the campaign's lock. The events about a change, and its row in the history
 * (store/audit_store.h), are written in the same transaction. */
#ifndef ENGINE_CAMPAIGN_MOVE_H
#define ENGINE_CAMPAIGN_MOVE_H

#include "domain/batch.h"
#include "store/audit_store.h"
#include "store/db.h"

/* Changes the state of the campaign by `action`, and writes the instants and events of the change. DB_REFUSED: the
 * state of the campaign does not allow the action. `reason` may be "". */
enum db_result campaign_move(struct db *db, struct batch *batch, enum batch_action action, const char *reason,
                             int64_t now_us);

/* Writes a row of the campaign's history. `from`: the state before, -1: none. `changes`: a JSON object, or "". */
enum db_result campaign_note(struct db *db, const struct batch *batch, enum audit_action action, int from,
                             const char *changes);

/* Copies the next contacts of a large folder or campaign. After the last of them, the contacts are planned. */
enum db_result campaign_copy(struct db *db, struct batch *batch, int64_t now_us);

/* Writes up to `steps` chunks of the campaign's plan. A running campaign that can never call anybody fails. A
 * campaign whose zone cannot be read now waits until it can be read. */
enum db_result campaign_plan(struct db *db, struct batch *batch, int steps, int64_t now_us);
#define CAMPAIGN_PLAN_SMALL 3 /* steps that fit into a request, and plan a small campaign to its end */

#endif
