/* What came of every try to deliver a webhook, collected and written in one go. */
#ifndef SCHEDULER_TRIES_H
#define SCHEDULER_TRIES_H

#include "scheduler/deliver.h"
#include "store/rows.h"

struct tries {
	struct arena *arena; /* NULL until there is a try */
	struct rows rows;
};

/* `error`: "" when it was taken. What it belongs to is a delivery, by its row, or a call, by its id. */
void tries_add_delivery(struct tries *tries, const struct deliver_result *result, const char *error);
void tries_add_call(struct tries *tries, const struct deliver_result *result, const char *error);

/* Inside the caller's transaction, or as one of its own; writing the same twice does no harm. */
enum db_result tries_write_deliveries(struct db *db, struct tries *tries);
enum db_result tries_write_calls(struct db *db, struct tries *tries);

void tries_clear(struct tries *tries);
void tries_free(struct tries *tries);

#endif
