/* The result of every try to deliver a webhook: collected, and written together. */
#ifndef SCHEDULER_TRIES_H
#define SCHEDULER_TRIES_H

#include "scheduler/deliver.h"
#include "store/rows.h"

struct tries {
	struct arena *arena; /* NULL until there is a try */
	struct rows rows;
};

/* `error`: "" if it was accepted. A try belongs to a delivery, by its row, or to a call, by its id. */
void tries_add_delivery(struct tries *tries, const struct deliver_result *result, const char *error);
void tries_add_call(struct tries *tries, const struct deliver_result *result, const char *error);

/* Writes the tries, in the caller's transaction or in one of its own. Writing the same tries twice does no harm. */
enum db_result tries_write_deliveries(struct db *db, struct tries *tries);
enum db_result tries_write_calls(struct db *db, struct tries *tries);

void tries_clear(struct tries *tries);
void tries_free(struct tries *tries);

#endif
