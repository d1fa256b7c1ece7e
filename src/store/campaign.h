/* What may be done to a campaign, each inside a transaction of the caller, under the campaign's lock. A state changes
 * nowhere else than in campaign_move. Events about a change, and its history (store/audit_store.h), are written in the
 * same transaction. */
#ifndef STORE_CAMPAIGN_H
#define STORE_CAMPAIGN_H

#include "domain/batch.h"
#include "store/db.h"

/* Why a transaction ended with DB_REFUSED; nothing was written. */
enum refusal {
	REFUSED_STATE,       /* not allowed in batch->status */
	REFUSED_NO_DAY,      /* it has failed, and no day can take a call yet */
	REFUSED_FIXED_FIELD, /* fixed_field cannot be changed while it is active */
	REFUSED_AGENT,       /* no such agent */
	REFUSED_AGENT_NOT_READY,
	REFUSED_AGENT_DELETED,
	REFUSED_NUMBER,      /* one of phone_number_ids is not there */
	REFUSED_NO_NUMBER,   /* none given, and the agent has none */
	REFUSED_NO_CONTACTS, /* none waits for a call */
	REFUSED_FOLDER,      /* no such folder */
	REFUSED_SOURCE,      /* no such campaign to copy contacts of */
	REFUSED_SOURCE_GROWS, /* that campaign still gets contacts itself */
	REFUSED_CONTACT,     /* missing_contact is not there */
	REFUSED_COPIED,      /* another campaign still gets copies of its contacts */
	REFUSED_CONTACT_STATE, /* it does not wait: contact_status */
	REFUSED_FIELDS,      /* see faults */
};

struct campaign_request {
	int64_t organization_id, key_row; /* whose request it is */
	struct uuid uuid;
	int64_t now_us;
	struct arena *arena;
	/* What the client sent, read by `table`; for a change the fields of the bit set `given` count. */
	const struct field_table *table;
	struct batch_config config;
	uint64_t given;
	/* What came of it. */
	struct batch batch;
	enum refusal refusal;
	const char *fixed_field;
	struct uuid missing_contact;
	struct faults faults;
	int64_t added, skipped; /* contacts: together what was sent */
	int64_t removed;
	enum contact_status contact_status;
	bool has_found_numbers; /* a preview of other numbers than those that are stored … */
	int64_t numbers_calls_per_minute; /* … and their pace; 0: one of them has none */
};

enum db_result campaign_create(struct db *db, struct campaign_request *request);
enum db_result campaign_change(struct db *db, struct campaign_request *request);
/* Changes nothing: batch.plan is where planning would start after the change. */
enum db_result campaign_preview(struct db *db, struct campaign_request *request);
enum db_result campaign_add_contacts(struct db *db, struct campaign_request *request);
/* store/contact_removal.h */
enum db_result campaign_remove_contact(struct db *db, struct campaign_request *request, int64_t position);
enum db_result campaign_remove_contacts(struct db *db, struct campaign_request *request);
enum db_result campaign_schedule(struct db *db, struct campaign_request *request);
enum db_result campaign_pause(struct db *db, struct campaign_request *request);
enum db_result campaign_resume(struct db *db, struct campaign_request *request);
enum db_result campaign_cancel(struct db *db, struct campaign_request *request);
enum db_result campaign_delete(struct db *db, struct campaign_request *request);

/* Inside a transaction that holds the campaign's lock: carries out the change of state that `action`
 * means, if it is allowed (else DB_REFUSED), with its instants and events. `reason` may be "". */
enum db_result campaign_move(struct db *db, struct batch *batch, enum batch_action action,
                             const char *reason, int64_t now_us);

/* The same, for contacts of a large folder or campaign: goes on copying them; after the last they are planned. */
enum db_result campaign_copy(struct db *db, struct batch *batch, int64_t now_us);

/* The same, for planning: goes on with the campaign's plan for up to `steps` chunks. One that runs and
 * can never call anybody fails. One whose zone cannot be read now waits until it can. */
enum db_result campaign_plan(struct db *db, struct batch *batch, int steps, int64_t now_us);
#define CAMPAIGN_PLAN_SMALL 3 /* steps that fit into a request, and plan a small campaign to its end */

#endif
