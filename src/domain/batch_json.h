/* Campaigns as clients and subscribers see them. */
#ifndef DOMAIN_BATCH_JSON_H
#define DOMAIN_BATCH_JSON_H

#include "base/json.h"
#include "domain/batch.h"

void batch_write(struct json *json, const void *item); /* a json_write_members, of a struct batch */

/* Writes the counters as members of an open object. */
void batch_write_counts(struct json *json, const struct batch_counts *counts);

#endif
