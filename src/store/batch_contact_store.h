/* The contacts of a campaign. */
#ifndef STORE_BATCH_CONTACT_STORE_H
#define STORE_BATCH_CONTACT_STORE_H

#include "domain/batch.h"
#include "store/db.h"

/* Appends contacts under the campaign's lock, and counts them: batch->counts.total and .skipped grow.
 * A number that stands in the campaign already is stored as skipped. */
enum db_result batch_contacts_add(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                  size_t count);
/* The contacts with which a campaign is created: batch_insert has written how many they are. Only those that are skipped
 * are counted. */
enum db_result batch_contacts_add_first(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                        size_t count);

/* Appends and counts copies of the next contacts in a part of a folder, in the order of their making, or of another campaign, in
 * the order of their positions: of at most `limit`. Moves part->after_id behind them. *all: none is left in it. */
struct contact_part {
	int64_t folder_row, source_row; /* a campaign has the second */
	unsigned statuses;              /* of a campaign's contacts: bits of those that are copied, as they are stored */
	int64_t after_id, last_id;      /* behind the one, up to the other: internal keys, or positions */
};
enum db_result batch_contacts_copy_part(struct db *db, struct batch *batch, struct contact_part *part, int64_t limit,
                                        bool *all);
/* Of those with these ids, in their order. DB_NOT_FOUND: *missing is not one of the organisation's. */
enum db_result batch_contacts_copy(struct db *db, struct batch *batch, const struct uuid *ids, size_t count,
                                   struct uuid *missing);

struct attempt {
	struct uuid call_id;
	int64_t number; /* from 1 */
	enum call_status status;
	const char *from_number, *outcome, *end_reason;
	int64_t scheduled_at_us, called_at_us, ended_at_us, duration_seconds, cost_ten_thousandths;
};

struct batch_contact {
	int64_t position;
	struct contact_input who;
	enum contact_status status;
	bool is_planned; /* it waits for a planned instant */
	enum skip_reason skip_reason;
	struct uuid contact_id; /* nil: given with the campaign */
	int64_t attempts;
	int64_t scheduled_at_us;
	struct uuid call_id; /* of the latest attempt, nil: none; what follows is that attempt's */
	int call_status;     /* -1: none */
	const char *from_number, *outcome, *end_reason;
	int64_t called_at_us, ended_at_us, duration_seconds, cost_ten_thousandths;
	const struct attempt *history; /* in their order; from batch_contact_get alone */
	size_t history_count;
};

enum db_result batch_contact_get(struct db *db, const struct batch *batch, int64_t position,
                                 struct arena *arena, struct batch_contact *out);

/* Why it ended as it did: its skip_reason, or what was said of its latest call. */
const char *batch_contact_reason(const struct batch_contact *contact);

/* What waits is stored alike; what it is called follows from the campaign and from the plan. */
void batch_contact_derive_status(const struct batch *batch, struct batch_contact *contact);

#endif
