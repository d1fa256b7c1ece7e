#include "base/instant.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Converts days to civil dates and back. Years begin in March here, so that the leap day is the last day of a year. */
int32_t civil_day(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int year_of_era = y - era * 400;
	int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void civil_date(int32_t civil_day, int *year, int *month, int *day)
{
	int shifted = civil_day + 719468;
	int era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int day_of_era = shifted - era * 146097;
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int from_march = (5 * day_of_year + 2) / 153;

	*day = day_of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march + (from_march < 10 ? 3 : -9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

int civil_weekday(int32_t civil_day)
{
	int since_monday = (civil_day + 3) % 7; /* 1970-01-01 was a Thursday */

	return (since_monday < 0 ? since_monday + 7 : since_monday) + 1;
}

int civil_day_compare(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

int32_t civil_day_of(int64_t us)
{
	return (int32_t)((us >= 0 ? us : us - (US_PER_DAY - 1)) / US_PER_DAY);
}

static bool parse_digits(const char **text, int count, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		*out = *out * 10 + (**text - '0');
	}
	return true;
}

static bool parse_char(const char **text, char c)
{
	return **text == c && (*text)++;
}

static bool parse_date(const char **text, int32_t *day_out)
{
	int year, month, day, y, m, d;

	if (!parse_digits(text, 4, &year) || !parse_char(text, '-') || !parse_digits(text, 2, &month) ||
	    !parse_char(text, '-') || !parse_digits(text, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*day_out = civil_day(year, month, day);
	civil_date(*day_out, &y, &m, &d);
	return d == day; /* refuses 30 February */
}

static bool parse_fraction(const char **text, int64_t *us)
{
	int64_t unit = US_PER_SECOND / 10;

	*us = 0;
	if (!parse_char(text, '.') && !parse_char(text, ','))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		*us += (**text - '0') * unit;
	return true;
}

static bool parse_offset(const char **text, struct when *out)
{
	int sign, hours, minutes = 0;

	out->is_wall = **text == '\0';
	if (out->is_wall || parse_char(text, 'Z') || parse_char(text, 'z'))
		return true;
	if (**text != '+' && **text != '-')
		return false;
	sign = *(*text)++ == '-' ? -1 : 1;
	if (!parse_digits(text, 2, &hours))
		return false;
	if (**text != '\0') {
		parse_char(text, ':');
		if (!parse_digits(text, 2, &minutes))
			return false;
	}
	if (hours > 23 || minutes > 59)
		return false;
	out->us -= sign * (hours * 60 + minutes) * US_PER_MINUTE;
	return true;
}

bool instant_is_storable(int64_t us)
{
	return us >= 0 && us < INSTANT_NEVER - US_PER_DAY;
}

bool when_parse(const char *text, struct when *out)
{
	int hour, minute, second = 0;
	int64_t fraction = 0;
	int32_t day;

	if (!parse_date(&text, &day) || strchr("Tt ", *text) == NULL || *text++ == '\0')
		return false;
	if (!parse_digits(&text, 2, &hour) || !parse_char(&text, ':') || !parse_digits(&text, 2, &minute))
		return false;
	if (parse_char(&text, ':') && (!parse_digits(&text, 2, &second) || !parse_fraction(&text, &fraction)))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	out->us = day * US_PER_DAY + ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + fraction;
	return parse_offset(&text, out) && *text == '\0';
}

bool date_parse(const char *text, int32_t *day)
{
	return parse_date(&text, day) && *text == '\0';
}

void date_format(int32_t day, char out[11])
{
	int year, month, mday;

	civil_date(day, &year, &month, &mday);
	snprintf(out, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100, (unsigned)mday % 100);
}

/* Every reply and every batch of rows is written with these two functions, so they do without printf. */
static char *put_digits(char *at, int value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + count;
}

static char *put_date_time(char *at, int64_t us, char separator, int *us_of_second)
{
	int32_t day = civil_day_of(us);
	int64_t rest = us - day * US_PER_DAY;
	int seconds = (int)(rest / US_PER_SECOND), year, month, mday;

	civil_date(day, &year, &month, &mday);
	at = put_digits(at, year, 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	at = put_digits(at, mday, 2);
	*at++ = separator;
	at = put_digits(at, seconds / 3600, 2);
	*at++ = ':';
	at = put_digits(at, seconds / 60 % 60, 2);
	*at++ = ':';
	at = put_digits(at, seconds % 60, 2);
	*at++ = '.';
	*us_of_second = (int)(rest % US_PER_SECOND);
	return at;
}

void instant_format_iso(int64_t us, char out[32])
{
	int us_of_second;
	char *at = put_date_time(out, us, 'T', &us_of_second);

	at = put_digits(at, us_of_second, 6);
	*at++ = 'Z';
	*at = '\0';
}

void instant_format_sql(int64_t us, char out[32])
{
	int us_of_second;
	char *at = put_date_time(out, us, ' ', &us_of_second);

	at = put_digits(at, us_of_second, 6);
	*at = '\0';
}

int64_t instant_ceil_ms(int64_t us)
{
	return (us + US_PER_MS - 1) / US_PER_MS * US_PER_MS;
}
