/* How the lists of a campaign are stored as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "store/batch_store.h"

/* Reads [[days,start,end],…], as write_windows wrote it. */
static void read_windows(const char *text, struct arena *arena, void *member)
{
	struct calling_window *windows = *text == '\0' ? NULL : arena_alloc(arena, CALENDAR_MAX_WINDOWS * sizeof *windows);
	struct calling_window next;
	size_t count = 0;
	int len;

	while (count < CALENDAR_MAX_WINDOWS &&
	       sscanf(text, "%*1[[,][%u,%d,%d]%n", &next.days, &next.start, &next.end, &len) == 3) {
		windows[count++] = next;
		text += len;
	}
	*(struct field_list *)member = (struct field_list){ windows, count };
}

static const char *write_windows(const void *member, struct arena *arena)
{
	const struct field_list *list = member;
	const struct calling_window *windows = list->items;
	const char *text = "";

	for (size_t i = 0; i < list->count; i++)
		text = arena_printf(arena, "%s%c[%u,%d,%d]", text, i == 0 ? '[' : ',', windows[i].days, windows[i].start,
		                    windows[i].end);
	return list->count == 0 ? "" : arena_printf(arena, "%s]", text);
}

/* Reads a JSON array of dates, as write_dates wrote it. */
static void read_dates(const char *text, struct arena *arena, void *member)
{
	int32_t *days = arena_alloc(arena, (strlen(text) / 12 + 1) * sizeof *days);
	size_t count = 0;
	char date[11] = "";

	for (const char *c = strchr(text, '"'); c != NULL; c = strchr(c + 12, '"')) {
		memcpy(date, c + 1, 10);
		count += date_parse(date, &days[count]);
		if (c[12] == ']' || c[12] == '\0')
			break;
	}
	*(struct field_list *)member = (struct field_list){ days, count };
}

static const char *write_dates(const void *member, struct arena *arena)
{
	const struct field_list *dates = member;
	const int32_t *days = dates->items;
	struct buf text = { .arena = arena };
	struct json json = json_to(&text);

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < dates->count; i++)
		json_date(&json, NULL, days[i]);
	json_end(&json);
	return text.data;
}

/* [[outcome,delay,attempts],…], as we wrote it. */
static void read_retry_rules(const char *text, struct arena *arena, void *member)
{
	struct retry_rule *rules = *text == '\0' ? NULL : arena_alloc(arena, CALL_RETRY_RULES_MAX * sizeof *rules);
	size_t count = 0;
	struct retry_rule next;
	int len;

	while (count < CALL_RETRY_RULES_MAX && sscanf(text, "%*1[[,][%d,%" SCNd64 ",%" SCNd64 "]%n", &next.outcome,
	                                              &next.delay_minutes, &next.max_attempts, &len) == 3) {
		rules[count++] = next;
		text += len;
	}
	*(struct field_list *)member = (struct field_list){ rules, count };
}

static const char *write_retry_rules(const void *member, struct arena *arena)
{
	const struct field_list *list = member;
	const struct retry_rule *rules = list->items;
	const char *text = "";

	for (size_t i = 0; i < list->count; i++)
		text = arena_printf(arena, "%s%c[%d,%" PRId64 ",%" PRId64 "]", text, i == 0 ? '[' : ',', rules[i].outcome,
		                    rules[i].delay_minutes, rules[i].max_attempts);
	return list->count == 0 ? "" : arena_printf(arena, "%s]", text);
}

const struct column_form calling_windows_form = { read_windows, write_windows };
const struct column_form dates_form = { read_dates, write_dates };
const struct column_form retries_form = { read_retry_rules, write_retry_rules };
