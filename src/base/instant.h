/* Instants (microseconds UTC since the epoch), local wall times and civil days, and their text forms. */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#define INSTANT_NONE INT64_C(-30610224000000000)  /* 1000-01-01: "not set" in a DATETIME column */
#define INSTANT_NEVER INT64_C(253402214400000000) /* 9999-12-31: "never" in a DATETIME column */

/* Returns whether the instant may be stored: the two constants above, and the day before the second, may not. */
bool instant_is_storable(int64_t us);
#define INSTANT_RANGE "must be from 1970-01-01 to 9999-12-29 (UTC)"

/* What a client wrote: an instant if it has an offset or Z, else a wall time in a zone that another field names. */
struct when {
	int64_t us;   /* the instant; of a wall time: as if the clock on the wall showed UTC */
	bool is_wall; /* no offset was given */
};

/* Civil days are numbered from 1970-01-01 = 0 (proleptic Gregorian). */
int32_t civil_day(int year, int month, int day);
void civil_date(int32_t civil_day, int *year, int *month, int *day);
int civil_weekday(int32_t civil_day);                /* 1 = Monday … 7 = Sunday */
int civil_day_compare(const void *a, const void *b); /* two of int32_t, for qsort and bsearch */
int32_t civil_day_of(int64_t us);                    /* of an instant or wall time, also before 1970 */

bool when_parse(const char *text, struct when *out);   /* ISO 8601 date-time; false: not one */
bool date_parse(const char *text, int32_t *civil_day); /* YYYY-MM-DD */
void date_format(int32_t civil_day, char out[11]);
void instant_format_iso(int64_t us, char out[32]); /* 2026-11-21T08:00:00.000000Z */
void instant_format_sql(int64_t us, char out[32]); /* 2026-11-21 08:00:00.000000 */
int64_t instant_ceil_ms(int64_t us);

#endif
