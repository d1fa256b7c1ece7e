#include "api/exposition.h"

#include <math.h>

#include "base/clock.h"
#include "base/histogram.h"

void exposition_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_one(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
	exposition_head(out, name, type, help);
	buf_printf(out, "%s %lld\n", name, (long long)value);
}

double exposition_in_seconds(int64_t us)
{
	return (double)us / (double)US_PER_SECOND;
}

void exposition_seconds(struct buf *out, const char *name, const char *type, const char *help, int64_t us)
{
	exposition_head(out, name, type, help);
	buf_printf(out, "%s %.6f\n", name, exposition_in_seconds(us));
}

void exposition_histogram(struct buf *out, const char *name, const char *labels, const int64_t *buckets, int64_t sum_us)
{
	const char *comma = *labels != '\0' ? "," : "";
	const char *open = *labels != '\0' ? "{" : "", *close = *labels != '\0' ? "}" : "";
	long long count = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += buckets[i];
		if (isinf(histogram_bounds[i]))
			buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", name, labels, comma, count);
		else
			buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", name, labels, comma, histogram_bounds[i], count);
	}
	buf_printf(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close, exposition_in_seconds(sum_us));
	buf_printf(out, "%s_count%s%s%s %lld\n", name, open, labels, close, count);
}
