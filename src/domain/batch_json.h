/* Campaigns as clients and subscribers see them. */
#ifndef DOMAIN_BATCH_JSON_H
#define DOMAIN_BATCH_JSON_H

#include "base/json.h"
#include "domain/batch.h"

void batch_write(struct json *json, const char *key, const struct batch *batch);

/* Members of an open object: the counters. */
void batch_write_counts(struct json *json, const struct batch_counts *counts);

#endif
