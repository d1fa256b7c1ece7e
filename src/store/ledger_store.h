/* Decisions for the ledger (domain/ledger.h): written in the transaction that makes them, and read when they are sealed
 * (engine/ledger_chain.h), which is about a second later. */
#ifndef STORE_LEDGER_STORE_H
#define STORE_LEDGER_STORE_H

#include "base/json.h"
#include "domain/ledger.h"
#include "store/db.h"
#include "store/page.h"

/* The decisions of one organisation. */
struct ledger_part {
	int64_t organization_id;
	struct buf lines;
};

/* The decisions of one transaction. */
struct ledger {
	struct arena *arena;
	struct ledger_part *parts;
	size_t count, room;
	struct buf what; /* the decision that is being written */
};

/* Sets whether this process writes decisions. By default it does. */
void ledger_switch(bool on);

struct ledger ledger_new(struct arena *arena);

/* A decision is the members that its maker writes between these two. phone_number "": it concerns no single number. */
struct json ledger_begin(struct ledger *ledger, enum ledger_decision decision, int64_t at_us);
void ledger_end(struct ledger *ledger, struct json *json, int64_t organization_id, const char *phone_number);

/* A statement for each organisation; none if nothing was decided. */
enum db_result ledger_write(struct db *db, const struct ledger *ledger);

/* A sealed decision. */
struct ledger_decided {
	int64_t decided_at_us, seq, place, sealed_at_us;
	const char *phone_number, *hash; /* hash: of its block */
	struct bytes what;               /* a JSON object */
};

struct ledger_filter {
	const char *phone_number; /* "": the decisions that concern no single number */
	int64_t from_us, to_us;
};

/* Lists struct ledger_decided in the order in which the decisions were made. */
enum db_result ledger_list(struct db *db, int64_t organization_id, const struct ledger_filter *filter,
                           const struct page *page, struct arena *arena, struct listing *out);

#endif
