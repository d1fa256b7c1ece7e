/* The result of every try to deliver a webhook: collected, written together, and read. */
#ifndef STORE_TRY_STORE_H
#define STORE_TRY_STORE_H

#include "domain/delivery.h"
#include "store/page.h"
#include "store/rows.h"

struct tried {
	int64_t at_us, duration_us;
	int code;               /* 0: no answer */
	const char *error;      /* "": it was accepted */
	const struct buf *body; /* of the answer */
};

struct tries {
	struct arena *arena; /* NULL until there is a try */
	struct rows rows;
};

/* A try belongs to a delivery, by its row, or to a call, by its id. */
void tries_add_delivery(struct tries *tries, int64_t delivery, const struct tried *tried);
void tries_add_call(struct tries *tries, const struct uuid *call, const struct tried *tried);

/* Writes the tries, in the caller's transaction or in one of its own. Writing the same tries twice does no harm. */
enum db_result tries_write_deliveries(struct db *db, struct tries *tries);
enum db_result tries_write_calls(struct db *db, struct tries *tries);

/* Forgets the tries, and frees their memory. */
void tries_clear(struct tries *tries);

/* Reads at most 100 struct delivery_try, the latest first: of a delivery, or of a call that its dialer refused. */
enum db_result delivery_tries(struct db *db, int64_t delivery, struct arena *arena, struct listing *out);
enum db_result call_tries(struct db *db, const struct uuid *call_id, struct arena *arena, struct listing *out);

#endif
