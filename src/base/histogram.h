/* The bounds of all histograms of durations. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 14

extern const double histogram_bounds[HISTOGRAM_BUCKETS]; /* in seconds; the last is infinite */

/* Returns the bucket to which a duration belongs. */
int histogram_bucket(int64_t us);

#endif
