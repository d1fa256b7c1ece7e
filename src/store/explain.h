/* Why a campaign, or one of its contacts, is not called now, and when it can be: judged by the same gates, from the same
 * facts as a claim does it. Nothing is locked, so it describes one moment. */
#ifndef STORE_EXPLAIN_H
#define STORE_EXPLAIN_H

#include "domain/gate_json.h"
#include "store/batch_contact_store.h"

struct explanation {
	struct batch_contact contact;
	bool waits;              /* for a call; else what follows says nothing */
	struct gate_facts facts;
	struct gate_details details;
	int64_t next_at_us;      /* when it can be called; INSTANT_NEVER: that takes more than time */
	enum gate waits_for;     /* then the gate that keeps it */
	const char *reason;      /* all of it in words */
};

/* DB_NOT_FOUND: the campaign has no such contact. */
enum db_result explain_contact(struct db *db, const struct batch *batch, int64_t position, int64_t now_us,
                               struct arena *arena, struct explanation *out);

#define EXPLAIN_DUE_COUNTED 10000 /* due contacts are counted up to here; as in SQL_EXPLAIN_QUEUE */

/* The gates of the campaign as a whole are those before GATE_DUE. */
struct campaign_explanation {
	struct gate_facts facts; /* due_at_us: of the next contact */
	struct gate_details details;
	struct gate_verdict verdict; /* of the campaign's gates */
	int64_t next_position;   /* of the contact that is called next; 0: no contact is planned */
	int64_t due_now;         /* contacts whose time has come */
	int64_t next_at_us;      /* when the next call can go out; INSTANT_NEVER: that takes more than time */
	enum gate waits_for;     /* then the gate that holds it; GATE__MAX: there is nobody to call */
	const char *reason;      /* all of it in words */
};

enum db_result explain_campaign(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                struct campaign_explanation *out);

#endif
