/* The names of time zones that the database holds. */
#ifndef STORE_ZONE_STORE_H
#define STORE_ZONE_STORE_H

#include "store/db.h"

struct zone_use {
	const char *zone;
	int64_t campaigns; /* campaigns that are not over, or may be scheduled again */
	int64_t waiting;   /* contacts that wait in such campaigns, if the campaigns respect the zones of contacts */
	int64_t contacts;  /* stored contacts */
};

/* Lists every zone in use, by name. Reads all contacts, so it is for administrators. */
enum db_result zone_uses(struct db *db, struct arena *arena, const struct zone_use **uses, size_t *count);

#endif
