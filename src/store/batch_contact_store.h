/* The contacts of a campaign. */
#ifndef STORE_BATCH_CONTACT_STORE_H
#define STORE_BATCH_CONTACT_STORE_H

#include "domain/batch.h"
#include "store/db.h"

/* Appends contacts under the campaign's lock, and adds them to batch->counts.total and .skipped. A number that is in
 * the campaign already is stored as skipped. */
enum db_result batch_contacts_add(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                  size_t count);
/* Adds the first contacts of a campaign. batch_insert has stored their number already, so only skipped contacts are
 * counted. */
enum db_result batch_contacts_add_first(struct db *db, struct batch *batch, const struct contact_input *contacts,
                                        size_t count);

/* Appends and counts copies of at most `limit` contacts of a part: of a folder, in the order of their creation, or
 * of another campaign, in the order of their positions. Moves part->after_id to the last copied contact. *all: no
 * contact is left in the part. */
struct contact_part {
	int64_t folder_row, source_row; /* source_row: the other campaign */
	unsigned statuses;              /* of a campaign's contacts: bit set of the stored statuses that are copied */
	int64_t after_id, last_id;      /* after after_id, up to last_id: internal keys, or positions */
};
enum db_result batch_contacts_copy_part(struct db *db, struct batch *batch, struct contact_part *part, int64_t limit,
                                        bool *all);
/* Copies the contacts with these ids, in their order. DB_NOT_FOUND: *missing is not a contact of the organisation. */
enum db_result batch_contacts_copy(struct db *db, struct batch *batch, const struct uuid *ids, size_t count,
                                   struct uuid *missing);

struct attempt {
	struct uuid call_id;
	int64_t number; /* from 1 */
	enum call_status status;
	const char *from_number, *outcome, *end_reason;
	int64_t scheduled_at_us, called_at_us, ended_at_us, duration_seconds, cost_ten_thousandths;
	bool is_callback; /* the person asked for this call during the call before */
};

struct batch_contact {
	int64_t position;
	struct contact_input who;
	enum contact_status status;
	bool is_planned; /* it waits for a planned instant */
	enum skip_reason skip_reason;
	struct uuid contact_id; /* the stored contact; nil: the contact was given with the campaign */
	int64_t attempts;
	int64_t scheduled_at_us;
	struct uuid call_id; /* of the latest attempt, nil: none; the members below belong to that attempt */
	int call_status;     /* -1: none */
	const char *from_number, *outcome, *end_reason;
	int64_t called_at_us, ended_at_us, duration_seconds, cost_ten_thousandths;
	int64_t retry_at_us;     /* when the next attempt may begin; INSTANT_NONE: none follows, or it was not called yet */
	int64_t call_back_at_us; /* when the person asked to be called */
	const struct attempt *history; /* in their order; only set by batch_contact_get */
	size_t history_count;
};

enum db_result batch_contact_get(struct db *db, const struct batch *batch, int64_t position, struct arena *arena,
                                 struct batch_contact *out);

/* Returns why the contact ended as it did: its skip_reason, or the end reason of its latest call. */
const char *batch_contact_reason(const struct batch_contact *contact);

/* It waits for a call that the person asked for. */
bool batch_contact_waits_for_callback(const struct batch_contact *contact);

/* Sets the status of a waiting contact. All of them are stored alike; the status follows from the campaign and its
 * plan. */
void batch_contact_derive_status(const struct batch *batch, struct batch_contact *contact);

#endif
