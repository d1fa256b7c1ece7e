/* What a calendar says of an instant, as JSON for replies to "why". */
#ifndef DOMAIN_CALENDAR_JSON_H
#define DOMAIN_CALENDAR_JSON_H

#include "base/json.h"
#include "domain/calendar.h"

/* Writes, as members of the open object, the date and time in the calendar's zone, and what applies to that day. */
void calendar_write_local(struct json *json, const struct calendar *calendar, int64_t now_us);

/* Writes an array of such objects: one for each zone in which the windows are read. */
void calendar_write_zones(struct json *json, const char *key, const struct calendar *calendar, int64_t now_us);

/* Writes the span of callable time that is open or comes next. */
void calendar_write_span(struct json *json, const struct span *span);

/* Writes which zone cannot be read, and why. */
void calendar_write_trouble(struct json *json, const struct calendar *calendar, enum calendar_answer answer);

#endif
