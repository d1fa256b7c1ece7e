#include "base/histogram.h"

#include <math.h>

#include "base/clock.h"

const double histogram_bounds[HISTOGRAM_BUCKETS] = {
	0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, INFINITY,
};

int histogram_bucket(int64_t us)
{
	int bucket = 0;

	while ((double)us / (double)US_PER_SECOND > histogram_bounds[bucket])
		bucket++;
	return bucket;
}
