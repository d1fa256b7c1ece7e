/* The text that Prometheus reads: a name with its help and type, then its values. */
#ifndef API_EXPOSITION_H
#define API_EXPOSITION_H

#include "base/buf.h"

#include <stdint.h>

void exposition_head(struct buf *out, const char *name, const char *type, const char *help);

/* A metric of one value. */
void exposition_one(struct buf *out, const char *name, const char *type, const char *help, int64_t value);
void exposition_seconds(struct buf *out, const char *name, const char *type, const char *help, int64_t us);

/* The buckets, the sum and the count of a histogram (base/histogram.h). labels: `route="…"`; "": none. */
void exposition_histogram(struct buf *out, const char *name, const char *labels, const int64_t *buckets,
                          int64_t sum_us);

double exposition_in_seconds(int64_t us);

#endif
