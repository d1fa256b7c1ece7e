/* Copies the rows of an organisation into another database. It reads in one snapshot, and writes in batches. Public ids
 * stay. Ids that the database numbers are raised above all ids of the other database. Secrets are sealed with the key
 * of the other cell. */
#ifndef ENGINE_ORGANIZATION_COPY_H
#define ENGINE_ORGANIZATION_COPY_H

#include "store/db.h"

struct organization_copy {
	struct db *from, *to;
	int64_t id;            /* of the organisation in `from` */
	const char *from_cell; /* noted in `to` */
	int64_t replaced;      /* in `to`: what was given up there, whose row and keys the copy replaces; 0: nothing */
	/* Reports how many rows of a table are copied; done: all of them. */
	void (*show_progress)(const char *table, int64_t rows, bool done);
	/* Set: */
	int64_t new_id;    /* of the copy, which is ORGANIZATION_ARRIVING */
	int64_t rows;      /* how many were copied */
	const char *fault; /* why it failed, if the database does not say it; NULL: the database says it */
};

/* DB_REFUSED: another command has given this copy up. */
enum db_result organization_copy(struct organization_copy *copy);

#endif
