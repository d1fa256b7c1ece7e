/* Why a campaign, or one of its contacts, is not called now, and when it can be called. The same gates and facts are
 * used as in a claim. Nothing is locked, so the answer describes one moment. */
#ifndef ENGINE_EXPLAIN_H
#define ENGINE_EXPLAIN_H

#include "domain/gate.h"
#include "store/batch_contact_store.h"
#include "store/constants.h"

struct explanation {
	struct batch_contact contact;
	bool waits; /* for a call; if false, the members below mean nothing */
	struct gate_facts facts;
	struct gate_details details;
	int64_t next_at_us;  /* when it can be called; INSTANT_NEVER: time alone is not enough */
	enum gate waits_for; /* then the gate that holds it */
	const char *reason;  /* the explanation in words */
};

/* Returns DB_NOT_FOUND if the campaign has no such contact. */
enum db_result explain_contact(struct db *db, const struct batch *batch, int64_t position, int64_t now_us,
                               struct arena *arena, struct explanation *out);

#define EXPLAIN_DUE_COUNTED (EXPLAIN_COUNTED_ROWS - 1) /* due contacts are counted up to this number */

/* The gates of the campaign as a whole are those before GATE_DUE. */
struct campaign_explanation {
	struct gate_facts facts; /* due_at_us: of the next contact */
	struct gate_details details;
	struct gate_verdict verdict; /* of the campaign's gates */
	int64_t next_position;       /* of the contact that is called next; 0: no contact is planned */
	int64_t due_now;             /* contacts that are due */
	int64_t next_at_us;          /* when the next call can be made; INSTANT_NEVER: time alone is not enough */
	enum gate waits_for;         /* then the gate that holds it; GATE__MAX: there is no contact to call */
	const char *reason;          /* the explanation in words */
};

enum db_result explain_campaign(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                struct campaign_explanation *out);

#endif
