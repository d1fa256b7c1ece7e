/* Contacts that wait for an instant outside of the plan: retries, contacts that were postponed, and contacts whose
 * call no dialer answered. */
#ifndef ENGINE_DUE_CONTACTS_H
#define ENGINE_DUE_CONTACTS_H

#include "base/buf.h"
#include "store/db.h"

struct due_contact {
	int64_t batch_id, due_at_us, position, attempt;
	bool waits; /* the call of that attempt waits here, to be sent again */
};

/* Writes `rows`, which hold structs due_contact, with one of the statements that take such rows. An instant belongs to
 * one contact of a campaign. If it is taken, the contact gets a slightly later instant. */
enum db_result due_contacts_write(struct db *db, enum sql_statement statement, const struct buf *rows);

/* Returns how much later the n-th attempt is. Every process gets different values, so that two processes do not collide
 * again and again. */
int64_t due_contacts_shift_us(int run);
#define DUE_CONTACTS_RUNS 12

#endif
