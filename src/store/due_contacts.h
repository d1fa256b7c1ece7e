/* Contacts that wait for an instant of their own, besides those of a plan: retries, contacts that were
 * deferred, and those whose call no dialer answered. */
#ifndef STORE_DUE_CONTACTS_H
#define STORE_DUE_CONTACTS_H

#include "base/buf.h"
#include "store/db.h"

struct due_contact {
	int64_t batch_id, due_at_us, position, attempt;
	bool waits; /* the call of that attempt waits here, to be asked for again */
};

/* Writes `rows`, which hold structs due_contact, with one of the statements that take such rows. An instant belongs to
 * one contact of a campaign: where it is taken, this contact comes a little later. */
enum db_result due_contacts_write(struct db *db, enum sql_statement statement, const struct buf *rows);

/* By how much later the n-th try comes. No two processes move alike, so none is held up for ever by the same others. */
int64_t due_contacts_shift_us(int run);
#define DUE_CONTACTS_RUNS 12

#endif
