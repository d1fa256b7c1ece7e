/* Every type of field, its faults, and JSON that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/field.h"
#include "base/json.h"

struct item {
	const char *phone, *label;
};

struct thing {
	const char *name, *note, *data, *url;
	int64_t count, price;
	bool on;
	int color, time;
	unsigned tags, days;
	struct uuid id;
	struct field_list ids, dates, items;
	struct when when;
};

static const char *check_url(struct arena *arena, const char **value)
{
	(void)arena;
	return strncmp(*value, "https://", 8) == 0 ? NULL : "must begin with https://";
}

static const char *const colors[] = { "red", "", "blue", NULL };

static const struct item item_initial = { .phone = "", .label = "none" };
static FIELD_TABLE(item_fields, struct item, &item_initial, FIELD(struct item, phone, PHONE, .flags = FIELD_REQUIRED),
                   FIELD(struct item, label, STRING, .flags = FIELD_NULLABLE, .max = 5));

static const struct thing thing_initial = {
	.name = "", .note = "nothing", .data = "{}", .url = "", .count = 7, .color = 2, .time = -1
};

static FIELD_TABLE(thing_fields, struct thing, &thing_initial,
                   FIELD(struct thing, name, STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 4),
                   FIELD(struct thing, note, STRING, .flags = FIELD_NULLABLE, .max = 10),
                   FIELD(struct thing, data, OBJECT, .flags = FIELD_NULLABLE, .max = 60),
                   FIELD(struct thing, url, STRING, .max = 50, .check = check_url),
                   FIELD(struct thing, count, INT, .min = -5, .max = 100),
                   FIELD(struct thing, price, DECIMAL, .min = 0, .max = 1000000), FIELD(struct thing, on, BOOL),
                   FIELD(struct thing, color, CHOICE, .flags = FIELD_FIXED, .choices = colors),
                   FIELD(struct thing, time, TIME, .flags = FIELD_NULLABLE),
                   FIELD(struct thing, tags, CHOICES, .min = 1, .max = 2, .choices = colors),
                   FIELD(struct thing, days, WEEKDAYS),
                   FIELD(struct thing, id, ID, .flags = FIELD_NULLABLE, .prefix = ID_AGENT),
                   FIELD(struct thing, ids, IDS, .flags = FIELD_NULLABLE, .max = 3, .prefix = ID_AGENT),
                   FIELD(struct thing, dates, DATES, .max = 3),
                   FIELD(struct thing, items, RECORDS, .flags = FIELD_NULLABLE, .max = 3, .record = &item_fields),
                   FIELD(struct thing, when, WHEN, .flags = FIELD_NULLABLE));

/* The result of one reading. The test owns its memory. */
struct reading {
	struct faults faults;
	struct thing thing;
	uint64_t given;
	enum field_result result;
};

static int set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static struct reading *start(void **state)
{
	struct reading *reading = arena_alloc(*state, sizeof *reading);

	reading->faults.arena = *state;
	return reading;
}

static struct reading *read_text(void **state, const char *body)
{
	struct reading *reading = start(state);

	reading->result = field_read(&thing_fields, FIELD_CREATE, body, strlen(body), &reading->thing, &reading->given,
	                             &reading->faults);
	return reading;
}

/* {"name":"x", MEMBER} */
static struct reading *read_member(void **state, const char *member)
{
	return read_text(state, arena_printf(*state, "{\"name\":\"x\",%s}", member));
}

static const struct thing *taken(void **state, const char *member)
{
	struct reading *reading = read_member(state, member);

	if (reading->result != FIELD_OK)
		fail_msg("%s: %s %s", member, reading->faults.list[0].field, reading->faults.list[0].reason);
	return &reading->thing;
}

static void refused(void **state, const char *member, const char *field, const char *reason)
{
	struct reading *reading = read_member(state, member);

	if (reading->result != FIELD_INVALID)
		fail_msg("%s was not refused", member);
	assert_int_equal(reading->faults.count, 1);
	assert_string_equal(reading->faults.list[0].field, field);
	assert_string_equal(reading->faults.list[0].reason, reason);
}

static void bad_json(void **state, const char *body, size_t len, const char *reason)
{
	struct reading *reading = start(state);

	reading->result = field_read(&thing_fields, FIELD_CREATE, body, len, &reading->thing, &reading->given,
	                             &reading->faults);
	assert_int_equal(reading->result, FIELD_BAD_JSON);
	assert_int_equal(reading->faults.count, 1);
	assert_string_equal(reading->faults.list[0].field, "body");
	assert_string_equal(reading->faults.list[0].reason, reason);
}

static void defaults_stand_where_nothing_is_given(void **state)
{
	struct reading *reading = read_text(state, "{\"name\":\"x\"}");

	assert_int_equal(reading->result, FIELD_OK);
	assert_int_equal(reading->given, 1);
	assert_string_equal(reading->thing.note, "nothing");
	assert_int_equal(reading->thing.count, 7);
	assert_int_equal(reading->thing.color, 2);
	assert_int_equal(reading->thing.time, -1);
	assert_int_equal(reading->thing.items.count, 0);
}

static void null_sets_back_to_the_default(void **state)
{
	static const char member[] = "\"note\":null,\"data\":null,\"time\":null,\"items\":null,\"id\":null";
	const struct thing *thing = taken(state, member);

	assert_string_equal(thing->note, "nothing");
	assert_string_equal(thing->data, "{}");
	assert_int_equal(thing->time, -1);
	assert_true(uuid_is_nil(&thing->id));
	refused(state, "\"count\":null", "count", "must not be null");
}

static void strings_count_characters(void **state)
{
	struct reading *four = read_text(state, "{\"name\":\"\\u00e4\xc3\xa4\xf0\x9f\x98\x80\\ud83d\\ude00\"}");

	assert_int_equal(four->result, FIELD_OK);
	assert_string_equal(four->thing.name, "ää😀😀");
	assert_int_equal(read_text(state, "{\"name\":\"ääääa\"}")->result, FIELD_INVALID);
	assert_int_equal(read_text(state, "{\"name\":\"\"}")->result, FIELD_INVALID);
	refused(state, "\"note\":\"12345678901\"", "note", "must have 0 to 10 characters");
	refused(state, "\"note\":5", "note", "must be a string");
	refused(state, "\"url\":\"http://x\"", "url", "must begin with https://");
	assert_string_equal(taken(state, "\"url\":\"\"")->url, "");
}

static void whole_numbers(void **state)
{
	assert_int_equal(taken(state, "\"count\":-5")->count, -5);
	assert_int_equal(taken(state, "\"count\":1e2")->count, 100);
	assert_int_equal(taken(state, "\"count\":3.0")->count, 3);
	refused(state, "\"count\":101", "count", "must be from -5 to 100");
	refused(state, "\"count\":-6", "count", "must be from -5 to 100");
	refused(state, "\"count\":1.5", "count", "must be a whole number");
	refused(state, "\"count\":1e300", "count", "must be a whole number");
	refused(state, "\"count\":\"1\"", "count", "must be a whole number");
	refused(state, "\"count\":true", "count", "must be a whole number");
	refused(state, "\"count\":9223372036854775808", "count", "is a number out of range");
	refused(state, "\"count\":1e999", "count", "is a number out of range");
}

static void decimal_numbers(void **state)
{
	assert_int_equal(taken(state, "\"price\":0.1234")->price, 1234);
	assert_int_equal(taken(state, "\"price\":19.99")->price, 199900);
	assert_int_equal(taken(state, "\"price\":100")->price, 1000000);
	refused(state, "\"price\":-0.01", "price", "must be from 0 to 100");
	refused(state, "\"price\":100.01", "price", "must be from 0 to 100");
	refused(state, "\"price\":\"1\"", "price", "must be a number");
}

static void booleans_and_choices(void **state)
{
	assert_true(taken(state, "\"on\":true")->on);
	assert_false(taken(state, "\"on\":false")->on);
	refused(state, "\"on\":1", "on", "must be true or false");
	assert_int_equal(taken(state, "\"color\":\"blue\"")->color, 2);
	refused(state, "\"color\":\"Blue\"", "color", "must be one of red, blue");
	refused(state, "\"color\":\"\"", "color", "must be one of red, blue");
	refused(state, "\"color\":0", "color", "must be one of red, blue");
	assert_int_equal(taken(state, "\"tags\":[\"blue\",\"red\"]")->tags, 5);
	refused(state, "\"tags\":[]", "tags", "must not be empty");
	refused(state, "\"tags\":[\"red\",\"red\"]", "tags", "must not repeat an element");
	refused(state, "\"tags\":[\"green\"]", "tags", "must hold only red, blue");
	refused(state, "\"tags\":[\"red\",\"blue\",\"red\"]", "tags", "must have 1 to 2 elements");
	refused(state, "\"tags\":\"red\"", "tags", "must be an array");
}

static void weekdays_and_times(void **state)
{
	static const char range[] = "must be an array of weekdays, 1 (Monday) to 7, and not empty";
	static const char time[] = "must be a time HH:MM from 00:00 to 24:00";

	assert_int_equal(taken(state, "\"days\":[7,1]")->days, 0x41);
	assert_int_equal(taken(state, "\"days\":[7.0,1e0]")->days, 0x41);
	refused(state, "\"days\":[1.5]", "days", "must hold only 1 (Monday) to 7");
	refused(state, "\"days\":[]", "days", range);
	refused(state, "\"days\":1", "days", range);
	refused(state, "\"days\":[0]", "days", "must hold only 1 (Monday) to 7");
	refused(state, "\"days\":[8]", "days", "must hold only 1 (Monday) to 7");
	refused(state, "\"days\":[\"1\"]", "days", "must hold only 1 (Monday) to 7");
	refused(state, "\"days\":[1,1]", "days", "must not repeat an element");
	assert_int_equal(taken(state, "\"time\":\"00:00\"")->time, 0);
	assert_int_equal(taken(state, "\"time\":\"24:00\"")->time, 1440);
	refused(state, "\"time\":\"24:01\"", "time", time);
	refused(state, "\"time\":\"12:60\"", "time", time);
	refused(state, "\"time\":\"9:00\"", "time", time);
	refused(state, "\"time\":\"09:00:00\"", "time", time);
	refused(state, "\"time\":540", "time", time);
}

static void ids(void **state)
{
	static const char one[] = "\"01a1fd39-63f6-7000-a4b8-ed1a2bb74df0\"";
	static const char other[] = "\"agt_01A1FD39-63F6-7000-A4B8-ED1A2BB74DF1\"";
	const struct thing *thing = taken(state, arena_printf(*state, "\"ids\":[%s,%s]", other, one));

	assert_int_equal(thing->ids.count, 2);
	assert_int_equal(((const struct uuid *)thing->ids.items)[0].b[15], 0xf1);
	refused(state, arena_printf(*state, "\"ids\":[%s,%s]", one, one), "ids", "must not repeat an element");
	refused(state, "\"ids\":[\"x\"]", "ids[0]", "must be an id (a UUID)");
	refused(state, "\"ids\":[\"batch_01a1fd39-63f6-7000-a4b8-ed1a2bb74df0\"]", "ids[0]",
	        "must be an id (a UUID), with the prefix agt_ or none");
	refused(state, "\"id\":\"whk_01a1fd39-63f6-7000-a4b8-ed1a2bb74df0\"", "id",
	        "must be an id (a UUID), with the prefix agt_ or none");
	refused(state, "\"id\":\"x\"", "id", "must be an id (a UUID)");
	refused(state, "\"id\":\"00000000-0000-0000-0000-000000000000\"", "id", "must be an id (a UUID)");
	assert_int_equal(taken(state, arena_printf(*state, "\"id\":%s", one))->id.b[0], 0x01);
}

static void dates_and_instants(void **state)
{
	const struct thing *thing = taken(state, "\"dates\":[\"1970-01-03\",\"1970-01-02\"]");

	assert_int_equal(thing->dates.count, 2);
	assert_int_equal(((const int32_t *)thing->dates.items)[0], 1);
	refused(state, "\"dates\":[\"2026-02-29\"]", "dates[0]", "must be a date YYYY-MM-DD");
	refused(state, "\"dates\":[\"1970-01-01\",\"1970-01-01\"]", "dates", "must not repeat an element");
	assert_int_equal(taken(state, "\"when\":\"1970-01-01T01:00:01+01:00\"")->when.us, 1000000);
	assert_true(taken(state, "\"when\":\"1970-01-01T00:00\"")->when.is_wall);
	refused(state, "\"when\":\"tomorrow\"", "when", "must be an ISO 8601 date and time, such as 2026-11-21T09:00:00Z");
	refused(state, "\"when\":\"0999-01-01T00:00:00Z\"", "when", "must be from 1970-01-01 to 9999-12-29 (UTC)");
	taken(state, "\"when\":\"9999-12-29T23:59:59.999999Z\"");
	taken(state, "\"when\":\"1970-01-01T00:00:00Z\"");
	refused(state, "\"when\":\"9999-12-30T00:00:00Z\"", "when", "must be from 1970-01-01 to 9999-12-29 (UTC)");
	refused(state, "\"when\":\"9999-12-31T00:00:00Z\"", "when", "must be from 1970-01-01 to 9999-12-29 (UTC)");
}

static void objects_come_back_as_they_were(void **state)
{
	static const char data[] = "{\"b\":[1,-2,0.1,19.99,1.0,1E2],\"a\":{\"\\\"x\\n\":null,\"ä\":[]}}";
	static const char member[] = "\"data\": { \"b\" : [1,-2, 0.1,19.99, 1.0 ,1E2],"
								 "\"a\" :{\"\\\"x\\u000a\":null,\"\\u00e4\":[]}}";
	const struct thing *thing = taken(state, member);

	assert_string_equal(thing->data, data);
	assert_string_equal(taken(state, "\"data\":{\"\\ud83d\\ude00\":\"\\/\\b\\f\\t\\u00e9\"}")->data,
	                    "{\"😀\":\"/\\b\\f\\té\"}");
	refused(state, "\"data\":[]", "data", "must be an object");
	assert_int_equal(strlen(taken(state, "\"data\":{\"a\":\"\\u00e4\\u000a\\u0001\\\"\\\\\\ud83d\\ude00 "
	                                     "456789012345678901234567890123456\"}")
	                            ->data),
	                 60);
	refused(state,
	        "\"data\":{\"a\":\"\\u00e4\\u000a\\u0001\\\"\\\\\\ud83d\\ude00 "
	        "4567890123456789012345678901234567\"}",
	        "data", "must not be longer than 60 bytes");
	refused(state, "\"data\":{\"a\":\"12345678901234567890123456789012345678901234567890123456\"}", "data",
	        "must not be longer than 60 bytes");
}

static void records(void **state)
{
	static const char member[] = "\"items\":[{\"phone\":\"+4930\",\"label\":\"a\"},"
								 "{\"phone\":\"+12\",\"label\":null},{\"phone\":\"+1555\"}]";
	const struct thing *thing = taken(state, member);
	const struct item *items = thing->items.items;

	assert_int_equal(thing->items.count, 3);
	assert_string_equal(items[0].phone, "+4930");
	assert_string_equal(items[0].label, "a");
	assert_string_equal(items[1].label, "none");
	assert_string_equal(items[2].label, "none");
	refused(state, "\"items\":[{\"phone\":\"+12\"},{}]", "items[1].phone", "is required");
	refused(state, "\"items\":[{\"phone\":\"12\"}]", "items[0].phone",
	        "must be a phone number in E.164 form, such as +4930123456");
	refused(state, "\"items\":[{\"phone\":\"+12\",\"x\":1}]", "items[0].x", "unknown field");
	refused(state, "\"items\":[5]", "items[0]", "must be an object");
	refused(state, "\"items\":{}", "items", "must be an array of 0 to 3 objects");
	refused(state, "\"items\":[{},{},{},{}]", "items", "must be an array of 0 to 3 objects");
}

static void all_faults_at_once(void **state)
{
	struct reading *reading = read_text(state, "{\"count\":\"x\",\"unknown\":1,\"items\":[{\"label\":5}]}");

	assert_int_equal(reading->result, FIELD_INVALID);
	assert_int_equal(reading->faults.count, 5);
	assert_string_equal(reading->faults.list[0].field, "count");
	assert_string_equal(reading->faults.list[1].field, "unknown");
	assert_string_equal(reading->faults.list[2].field, "items[0].label");
	assert_string_equal(reading->faults.list[3].field, "items[0].phone");
	assert_string_equal(reading->faults.list[4].field, "name");
}

static void faults_are_bounded(void **state)
{
	struct buf body = { 0 };
	struct reading *reading;

	buf_puts(&body, "{");
	for (int i = 0; i < 1000; i++)
		buf_printf(&body, "\"f%d\":1,", i);
	buf_puts(&body, "\"last\":1}");
	reading = read_text(state, body.data);
	assert_int_equal(reading->faults.count, FAULTS_MAX);
	buf_free(&body);
}

/* Returns the most memory that reading takes for a text of `prefix`, many times `part`, and `suffix`. */
static long growth_for(void **state, const char *prefix, const char *part, const char *suffix)
{
	struct reading *reading = start(state);
	struct buf body = { 0 };
	struct rusage before, after;

	buf_puts(&body, prefix);
	while (body.len < 8 << 20)
		buf_puts(&body, part);
	body.len -= 1; /* the last comma */
	buf_puts(&body, suffix);
	getrusage(RUSAGE_SELF, &before);
	reading->result = field_read(&thing_fields, FIELD_CREATE, body.data, body.len, &reading->thing, &reading->given,
	                             &reading->faults);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(reading->result, FIELD_INVALID);
	buf_free(&body);
	return after.ru_maxrss - before.ru_maxrss;
}

static void memory_does_not_grow_with_the_values(void **state)
{
	static const char *const hostile[][3] = {
		{ "{\"items\":[", "{},", "]}" },
		{ "{\"items\":[", "{\"phone\":\"+12\"},", "]}" },
		{ "{\"data\":{\"a\":[", "1,", "]}}" },
		{ "{\"data\":{", "\"k\":1,", "}}" },
		{ "{\"data\":{\"a\":[", "[],", "]}}" },
		{ "{\"other\":[", "{\"a\":{}},", "]}" },
		{ "{\"other\":[", "\"\\u00e4\",", "]}" },
		{ "{", "\"other\":1,", "}" },
		{ "{", "\"name\":\"x\",", "}" },
		{ "{\"dates\":[", "\"2026-01-01\",", "]}" },
		{ "{\"tags\":[", "\"red\",", "]}" },
		{ "{\"ids\":[", "\"01a1fd39-63f6-7000-a4b8-ed1a2bb74df0\",", "]}" },
		{ "{\"count\":", "9", "9}" },
	};

	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		long kilobytes = growth_for(state, hostile[i][0], hostile[i][1], hostile[i][2]);

		if (kilobytes > 1024)
			fail_msg("%s%s…: %ld KiB", hostile[i][0], hostile[i][1], kilobytes);
	}
}

static void long_unknown_names_are_cut_between_characters(void **state)
{
	struct buf member = { 0 };
	struct reading *reading;

	buf_puts(&member, "\"x");
	for (int i = 0; i < 100; i++)
		buf_puts(&member, "ä");
	buf_puts(&member, "\":1");
	reading = read_member(state, member.data);
	assert_int_equal(strlen(reading->faults.list[0].field), 63);
	reading = read_member(state, arena_printf(*state, "%s,%s", member.data, member.data));
	assert_string_equal(reading->faults.list[1].reason, "unknown field");
	assert_int_equal(strlen(reading->faults.list[1].field), 63);
	buf_free(&member);
	refused(state, "\"\":1", "", "unknown field");
}

static void repeated_keys_are_named(void **state)
{
	refused(state, "\"name\":\"y\"", "name", "is given twice");
	refused(state, "\"nam\\u0065\":\"y\"", "name", "is given twice");
	refused(state,
	        "\"items\":[{\"phone\":\"+12\"},"
	        "{\"phone\":\"+12\",\"label\":\"x}]\\\"\",\"phone\":\"+13\"}]",
	        "items[1].phone", "is given twice");
	refused(state, "\"data\":{\"a\":1,\"b\":[2],\"\\u0061\":3}", "data.\\u0061", "is given twice");
	refused(state, "\"data\":{\"x}]\\\"\":[1,{\"\":0,\"\":0}]}", "data.x}]\\\"[1].", "is given twice");
	refused(state, "\"data\":{\"a\":{\"b\":1,\"b\":2}}", "data.a.b", "is given twice");
	refused(state, "\"data\":{\"a\":[1,[99999999999999999999]]}", "data.a[1][0]", "is a number out of range");
}

static void what_is_not_json(void **state)
{
	bad_json(state, "{", 1, "is not JSON: the text ends too early (line 1, column 2)");
	bad_json(state, "{\"name\":\n\"\xc3\xa4\",}", 15,
	         "is not JSON: expected a key in double quotes (line 2, column 5)");
	bad_json(state, "{\"name\" \"x\"}", 12, "is not JSON: expected ':' (line 1, column 9)");
	bad_json(state, "{\"name\":\"x\" \"note\":1}", 21, "is not JSON: expected ',' or '}' (line 1, column 13)");
	bad_json(state, "{\"name\":'x'}", 12, "is not JSON: expected a value (line 1, column 9)");
	bad_json(state, "[]", 2, "is JSON, but not an object: it must be one, in { and }");
	bad_json(state, "42", 2, "is JSON, but not an object: it must be one, in { and }");
	bad_json(state, " null\n", 6, "is JSON, but not an object: it must be one, in { and }");
	bad_json(state, "\xef\xbb\xbf{}", 5, "begins with a byte order mark (BOM): JSON is sent without it");
	bad_json(state, "{\"\xff\":1}", 7, "is not valid UTF-8 (line 1, column 3)");
	bad_json(state, "{\"name\":\"a\0b\"}", 14,
	         "is not JSON: a control character in a string must be escaped (line 1, column 11)");
	bad_json(state, "{\"count\":1\0}", 12, "is not JSON: expected ',' or '}' (line 1, column 11)");
	bad_json(state, "{\"on\":true\0}", 12, "is not JSON: expected ',' or '}' (line 1, column 11)");
	bad_json(state, "{}\0", 3, "is not JSON: unexpected text after the value (line 1, column 3)");
	bad_json(state, "{}x", 3, "is not JSON: unexpected text after the value (line 1, column 3)");
	bad_json(state, "{\"note\":\"\\u0000\",\"count\":1e999,}", 33,
	         "is not JSON: expected a key in double quotes (line 1, column 32)");
	assert_int_equal(read_text(state, " \n")->result, FIELD_INVALID); /* {} lacks the name */
	assert_string_equal(read_text(state, "")->faults.list[0].reason, "is required");
}

static void unusable_text_is_named(void **state)
{
	static const char *const malformed[] = { "{\"name\":\"\xff\"}", "{\"name\":\"\xed\xa0\x80\"}" };

	for (size_t i = 0; i < 2; i++) {
		struct reading *reading = read_text(state, malformed[i]);

		assert_int_equal(reading->result, FIELD_BAD_JSON);
		assert_string_equal(reading->faults.list[0].field, "name");
		assert_string_equal(reading->faults.list[0].reason, "is not valid UTF-8 (line 1, column 10)");
	}
	refused(state, "\"note\":\"a\\u0000b\"", "note", "contains the character NUL");
	refused(state, "\"items\":[{\"phone\":\"+12\"},{\"phone\":\"+12\\u0000\"}]", "items[1].phone",
	        "contains the character NUL");
	refused(state, "\"a\\u0000\":1", "a\\u0000", "contains the character NUL");
}

static void depth_is_bounded(void **state)
{
	static const char flat[] = /* brackets in strings do not count */
		"{\"name\":\"x\",\"data\":{\"\\\"[[\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}}";
	char deep[2 * 33 + 20];
	struct reading *reading = start(state);

	memset(deep, '[', sizeof deep);
	reading->result = field_read(&thing_fields, FIELD_CREATE, deep, sizeof deep, &reading->thing, &reading->given,
	                             &reading->faults);
	assert_int_equal(reading->result, FIELD_BAD_JSON);
	assert_string_equal(reading->faults.list[0].reason, "is nested more than 32 levels deep");
	assert_int_equal(read_text(state, flat)->result, FIELD_OK);
}

static void changes_start_from_what_is_there(void **state)
{
	static const char body[] = "{\"note\":null,\"count\":1}";
	struct reading *reading = start(state);

	reading->thing = thing_initial;
	reading->thing.name = "old";
	reading->thing.note = "old";
	reading->result = field_read(&thing_fields, FIELD_CHANGE, body, strlen(body), &reading->thing, &reading->given,
	                             &reading->faults);
	assert_int_equal(reading->result, FIELD_OK);
	assert_string_equal(reading->thing.name, "old");
	assert_string_equal(reading->thing.note, "nothing");
	assert_int_equal(reading->thing.count, 1);
}

static void fixed_fields_cannot_be_changed(void **state)
{
	static const char body[] = "{\"color\":\"red\"}";
	struct reading *reading = start(state);

	reading->result = field_read(&thing_fields, FIELD_CHANGE, body, strlen(body), &reading->thing, &reading->given,
	                             &reading->faults);
	assert_int_equal(reading->result, FIELD_INVALID);
	assert_string_equal(reading->faults.list[0].reason, "cannot be changed");
}

static void given_fields_are_applied_to_another(void **state)
{
	static const char member[] = "\"note\":null,\"on\":true,\"when\":\"1970-01-01T00:00:01Z\"";
	struct reading *reading = read_member(state, member);
	struct thing thing = { .name = "old", .note = "old", .count = 3 };

	field_apply(&thing_fields, reading->given, &reading->thing, &thing);
	assert_string_equal(thing.name, "x");
	assert_string_equal(thing.note, "nothing");
	assert_true(thing.on);
	assert_int_equal(thing.when.us, 1000000);
	assert_int_equal(thing.count, 3);
}

static struct reading *read_pairs(void **state, const struct field_pair *pairs, size_t count)
{
	struct reading *reading = start(state);

	reading->result = field_read_pairs(&thing_fields, pairs, count, &reading->thing, &reading->given, &reading->faults);
	return reading;
}

static void queries_are_read_by_the_same_tables(void **state)
{
	static const struct field_pair good[] = {
		{ "count", "-5" }, { "on", "true" }, { "note", "12" }, { "color", "red" }
	};
	static const struct field_pair bad[] = {
		{ "count", "+5" },    { "count", "5" }, { "on", "yes" }, { "note", "\xff" },
		{ "other\xff", "1" }, { "price", "1" }, { "days", "1" }, { "items", "x" },
	};
	struct reading *reading = read_pairs(state, good, 4);

	assert_int_equal(reading->result, FIELD_OK);
	assert_int_equal(reading->thing.count, -5);
	assert_true(reading->thing.on);
	assert_string_equal(reading->thing.note, "12");
	assert_int_equal(reading->thing.color, 0);
	assert_string_equal(reading->thing.name, "");
	reading = read_pairs(state, bad, 8);
	assert_int_equal(reading->result, FIELD_INVALID);
	assert_int_equal(reading->faults.count, 8);
	assert_string_equal(reading->faults.list[1].reason, "is given twice");
	assert_string_equal(reading->faults.list[3].reason, "is not valid UTF-8");
	assert_string_equal(reading->faults.list[4].field, "other\xef\xbf\xbd");
	assert_string_equal(reading->faults.list[4].reason, "unknown parameter");
}

/* Lists have commas between their elements. */
static void queries_have_lists(void **state)
{
	static const struct field_pair good[] = { { "tags", "blue,red" } }, one[] = { { "tags", "blue" } };
	static const struct field_pair bad[] = {
		{ "tags", "" },          { "tags", "," },        { "tags", "red,red" }, { "tags", "red," },
		{ "tags", "red, blue" }, { "tags", "red,\xff" }, { "ids", "x" },        { "ids", "" },
	};
	struct reading *reading = read_pairs(state, good, 1);

	assert_int_equal(reading->result, FIELD_OK);
	assert_true(reading->thing.tags != 0);
	reading = read_pairs(state, one, 1);
	assert_int_equal(reading->result, FIELD_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		reading = read_pairs(state, &bad[i], 1);
		assert_int_equal(reading->result, FIELD_INVALID);
		assert_int_equal(reading->faults.count, 1);
	}
}

static void phone_numbers(void **state)
{
	static const char *const right[] = { "+12", "+4930123456", "+123456789012345" };
	static const char *const wrong[] = { "", "+", "+1", "+012", "12", "+1234567890123456", "+12a", "+12 ", " +12" };

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		assert_true(phone_is_e164(right[i]));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(phone_is_e164(wrong[i]));
}

static const char *written(struct arena *arena, const struct field_table *table, const void *object)
{
	struct buf text = { .arena = arena };
	struct json json = json_to(&text);

	json_begin_object(&json, NULL);
	field_write(&json, table, object);
	json_end(&json);
	return text.data;
}

static void what_is_written_reads_the_same(void **state)
{
	static const char *const bodies[] = {
		"{\"name\":\"ab\\\"\",\"note\":\"n\",\"data\":{\"x\":[1]},\"url\":\"https://x\",\"count\":-5,\"price\":1.25,"
		"\"on\":true,\"color\":\"red\",\"time\":\"24:00\",\"tags\":[\"red\",\"blue\"],\"days\":[1,7],"
		"\"id\":\"0198f000-0000-7000-8000-000000000001\",\"ids\":[\"0198f000-0000-7000-8000-000000000002\"],"
		"\"dates\":[\"2026-01-31\"],\"items\":[{\"phone\":\"+4930\",\"label\":\"x\"},{\"phone\":\"+4931\"}],"
		"\"when\":\"2026-11-21T08:00:00.5Z\"}",
		"{\"name\":\"x\",\"days\":[3],\"when\":\"2026-11-21T08:00:00Z\",\"tags\":[\"blue\"]}",
	};

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct reading *first = read_text(state, bodies[i]), *again;
		const char *text = written(*state, &thing_fields, &first->thing);

		assert_int_equal(first->result, FIELD_OK);
		again = read_text(state, text);
		if (i == 0) { /* the others have an empty url, which cannot be given */
			assert_int_equal(again->result, FIELD_OK);
			assert_string_equal(written(*state, &thing_fields, &again->thing), text);
		}
	}
}

static void nothing_is_null(void **state)
{
	struct thing thing = { .note = "", .name = "", .data = "", .url = "", .time = -1, .when = { .us = INSTANT_NONE } };
	const struct field limit = FIELD(struct thing, count, INT, .flags = FIELD_NULLABLE, .min = 1, .max = 9);
	const struct field secret = FIELD(struct thing, url, STRING, .flags = FIELD_UNSHOWN);
	const struct field_table limits = { (const struct field[]){ limit, secret }, 2, sizeof thing, &thing };

	assert_string_equal(written(*state, &limits, &thing), "{\"count\":null}");
	thing.count = 1;
	assert_string_equal(written(*state, &limits, &thing), "{\"count\":1}");
	assert_string_equal(written(*state, &thing_fields, &thing),
	                    "{\"name\":\"\",\"note\":null,\"data\":null,\"url\":\"\",\"count\":1,\"price\":0.0000,\"on\":"
	                    "false,"
	                    "\"color\":\"red\",\"time\":null,\"tags\":[],\"days\":[],\"id\":null,\"ids\":[],\"dates\":[],"
	                    "\"items\":[],\"when\":null}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		TEST(defaults_stand_where_nothing_is_given),
		TEST(null_sets_back_to_the_default),
		TEST(strings_count_characters),
		TEST(whole_numbers),
		TEST(decimal_numbers),
		TEST(booleans_and_choices),
		TEST(weekdays_and_times),
		TEST(ids),
		TEST(dates_and_instants),
		TEST(objects_come_back_as_they_were),
		TEST(records),
		TEST(all_faults_at_once),
		TEST(faults_are_bounded),
		TEST(memory_does_not_grow_with_the_values),
		TEST(long_unknown_names_are_cut_between_characters),
		TEST(repeated_keys_are_named),
		TEST(what_is_not_json),
		TEST(unusable_text_is_named),
		TEST(depth_is_bounded),
		TEST(changes_start_from_what_is_there),
		TEST(fixed_fields_cannot_be_changed),
		TEST(given_fields_are_applied_to_another),
		TEST(queries_are_read_by_the_same_tables),
		TEST(queries_have_lists),
		TEST(phone_numbers),
		TEST(what_is_written_reads_the_same),
		TEST(nothing_is_null),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
