/* Why a contact of a campaign is not called now, and when it can be: judged by the same gates, from the same facts
 * as a claim does it. Nothing is locked, so it tells of one moment. */
#ifndef STORE_EXPLAIN_H
#define STORE_EXPLAIN_H

#include "domain/gate.h"
#include "store/batch_contact_store.h"

struct explanation {
	struct batch_contact contact;
	bool waits;              /* for a call; else what follows says nothing */
	struct gate_facts facts;
	int64_t next_at_us;      /* when it can be called; INSTANT_NEVER: that takes more than time */
	enum gate waits_for;     /* then the gate that keeps it */
	const char *reason;      /* all of it in words */
};

/* DB_NOT_FOUND: the campaign has no such contact. */
enum db_result explain_contact(struct db *db, const struct batch *batch, int64_t position, int64_t now_us,
                               struct arena *arena, struct explanation *out);

#endif
