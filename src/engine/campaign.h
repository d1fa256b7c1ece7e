/* Changes campaigns as clients request. Every function runs inside a transaction of the caller, under the campaign's
 * lock. Only campaign_move (engine/campaign_move.h) changes its state. */
#ifndef ENGINE_CAMPAIGN_H
#define ENGINE_CAMPAIGN_H

#include "domain/batch.h"
#include "engine/campaign_move.h"
#include "store/db.h"

/* Why a transaction ended with DB_REFUSED; nothing was written. */
enum refusal {
	REFUSED_STATE,       /* not allowed in batch->status */
	REFUSED_NO_DAY,      /* it has failed, and there is still no day on which it can call */
	REFUSED_FIXED_FIELD, /* fixed_field cannot be changed while the campaign is active */
	REFUSED_AGENT,       /* no such agent */
	REFUSED_AGENT_NOT_READY,
	REFUSED_AGENT_DELETED,
	REFUSED_NUMBER,        /* one of phone_number_ids does not exist */
	REFUSED_NO_NUMBER,     /* the request has no numbers, and the agent has none */
	REFUSED_NO_CONTACTS,   /* no contact waits for a call */
	REFUSED_FOLDER,        /* no such folder */
	REFUSED_SOURCE,        /* source_campaign_id does not exist */
	REFUSED_SOURCE_GROWS,  /* contacts are still being copied to that campaign */
	REFUSED_CONTACT,       /* missing_contact does not exist */
	REFUSED_COPIED,        /* its contacts are still being copied to another campaign */
	REFUSED_CONTACT_STATE, /* the contact does not wait: contact_status */
	REFUSED_FIELDS,        /* see faults */
};

struct campaign_request {
	int64_t organization_id;
	struct uuid uuid;
	int64_t now_us;
	struct arena *arena;
	/* What the client sent, read with `table`. For a change, only the fields in the bit set `given` count. */
	const struct field_table *table;
	struct batch_config config;
	uint64_t given;
	/* Results. */
	struct batch batch;
	enum refusal refusal;
	const char *fixed_field;
	struct uuid missing_contact;
	struct faults faults;
	int64_t added, skipped; /* contacts; together all contacts of the request */
	int64_t removed;
	enum contact_status contact_status;
	bool has_found_numbers;           /* for a preview: the numbers of the change were looked up, and are not stored */
	int64_t numbers_calls_per_minute; /* the pace of these numbers together; 0: one of them has no pace */
};

enum db_result campaign_create(struct db *db, struct campaign_request *request);
enum db_result campaign_change(struct db *db, struct campaign_request *request);
/* Changes nothing. batch.plan is where planning would begin after the change. */
enum db_result campaign_preview(struct db *db, struct campaign_request *request);
enum db_result campaign_add_contacts(struct db *db, struct campaign_request *request);
/* engine/contact_removal.h */
enum db_result campaign_remove_contact(struct db *db, struct campaign_request *request, int64_t position);
enum db_result campaign_remove_contacts(struct db *db, struct campaign_request *request);
enum db_result campaign_schedule(struct db *db, struct campaign_request *request);
enum db_result campaign_pause(struct db *db, struct campaign_request *request);
enum db_result campaign_resume(struct db *db, struct campaign_request *request);
enum db_result campaign_cancel(struct db *db, struct campaign_request *request);
enum db_result campaign_delete(struct db *db, struct campaign_request *request);

#endif
