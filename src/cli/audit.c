#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "domain/batch.h"
#include "store/key_store.h"

#define CHUNK 100

struct wanted {
	struct audit_filter filter;
	int64_t organization_id, limit;
	bool json;
};

static int find_name(const char *option, const char *const *names, const char *text)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	fatal("--%s cannot be `%s`", option, text);
}

static int64_t read_instant(const char *option, const char *text)
{
	struct when when;

	if (!when_parse(text, &when))
		fatal("--%s must be a date and time such as 2027-01-01T00:00:00Z, not `%s`", option, text);
	return when.us;
}

static struct uuid read_id(const char *option, const char *prefix, const char *text)
{
	struct uuid id;

	if (!uuid_parse_id(text, prefix, &id))
		fatal("--%s must be an id, not `%s`", option, text);
	return id;
}

/* The only option without a value. It may be anywhere. */
static bool take_json(int *argc, char **argv)
{
	int left = 0;

	for (int i = 0; i < *argc; i++)
		if (strcmp(argv[i], "--json") != 0)
			argv[left++] = argv[i];
	if (left == *argc)
		return false;
	argv[left] = NULL;
	*argc = left;
	return true;
}

static void read_arguments(int argc, char **argv, struct wanted *wanted, const char **organization)
{
	const char *object = NULL, *id = NULL, *action = NULL, *key = NULL, *after = NULL, *before = NULL, *limit = "100";
	const struct argument options[] = {
		{ "organization", organization },
		{ "object", &object },
		{ "id", &id },
		{ "action", &action },
		{ "key", &key },
		{ "after", &after },
		{ "before", &before },
		{ "limit", &limit },
	};
	struct audit_filter *filter = &wanted->filter;

	wanted->json = take_json(&argc, argv);
	arguments_read(argc, argv, options, sizeof options / sizeof *options, 0);
	filter->object = object != NULL ? find_name("object", audit_object_names, object) : -1;
	filter->action = action != NULL ? find_name("action", audit_action_names, action) : -1;
	filter->since_us = after != NULL ? read_instant("after", after) : INSTANT_NONE;
	filter->until_us = before != NULL ? read_instant("before", before) : INSTANT_NEVER;
	if (id != NULL)
		filter->object_id = read_id("id", ID_ANY, id);
	if (key != NULL)
		filter->key_id = read_id("key", ID_KEY, key);
	wanted->limit = atoll(limit);
	if (wanted->limit < 1)
		fatal("--limit must be a number from 1 on, not `%s`", limit);
}

static const char *status_name(int status)
{
	return status < 0 ? NULL : status == BATCH_DELETED ? "deleted" : batch_status_names[status];
}

static void print_json(const struct audit_entry *entry)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);

	json_begin_object(&json, NULL);
	json_instant(&json, "at", entry->happened_at_us);
	json_text(&json, "organization", entry->organization_name);
	json_add_string(&json, "object", audit_object_names[entry->object]);
	json_id(&json, "object_id", &entry->object_id);
	json_add_string(&json, "action", audit_action_names[entry->action]);
	json_add_string(&json, "from", status_name(entry->from_status));
	json_add_string(&json, "to", status_name(entry->to_status));
	json_text(&json, "reason", entry->reason);
	json_raw(&json, "changes", entry->changes);
	json_id(&json, "key_id", &entry->key_id);
	json_text(&json, "key_name", entry->key_name);
	json_text(&json, "address", entry->address);
	json_text(&json, "operator", entry->operator_name);
	json_end(&json);
	puts(text.data);
	buf_free(&text);
}

/* Clients chose the names and the values. */
static void print_blanked(const char *before, const char *text)
{
	char *shown = strdup(text);

	if (shown == NULL)
		fatal("out of memory");
	utf8_blank_controls(shown);
	if (*shown != '\0')
		printf("%s%s", before, shown);
	free(shown);
}

static void print_actor(const struct audit_entry *entry)
{
	if (!uuid_is_nil(&entry->key_id)) {
		char id[UUID_TEXT];

		uuid_format(&entry->key_id, id);
		printf("  by key %s", id);
		print_blanked(" ", entry->key_name);
		print_blanked(" from ", entry->address);
	} else if (*entry->operator_name != '\0') {
		print_blanked("  by ", entry->operator_name);
	} else {
		printf("  by itself");
	}
}

static void print_line(const struct audit_entry *entry)
{
	char at[32], id[UUID_TEXT] = "";

	instant_format_iso(entry->happened_at_us, at);
	if (!uuid_is_nil(&entry->object_id))
		uuid_format(&entry->object_id, id);
	printf("%s  %s %s %s", at, audit_object_names[entry->object], audit_action_names[entry->action], id);
	if (entry->from_status != entry->to_status)
		printf(" (%s to %s)", entry->from_status < 0 ? "none" : status_name(entry->from_status),
		       status_name(entry->to_status));
	print_actor(entry);
	print_blanked("  of ", entry->organization_name);
	print_blanked(": ", entry->reason);
	print_blanked("  ", entry->changes);
	putchar('\n');
}

/* Reads the entries in parts, so that memory does not grow with them. */
static enum db_result print_all(struct db *db, const struct wanted *wanted, struct arena *arena)
{
	struct page_key last = { .text = "" };
	struct page page = { .cursor = "" };
	struct listing listing = { .has_more = true };

	for (int64_t left = wanted->limit; left > 0 && listing.has_more; left -= page.limit) {
		page.limit = left < CHUNK ? left : CHUNK;
		DB_TRY(audit_list(db, wanted->organization_id, &wanted->filter, &page, arena, &listing));
		for (size_t i = 0; i < listing.count; i++) {
			const struct audit_entry *entry = &((const struct audit_entry *)listing.items)[i];

			if (wanted->json)
				print_json(entry);
			else
				print_line(entry);
		}
		last = listing.last;
		page.after = &last;
		arena_reset(arena);
	}
	return DB_OK;
}

void cli_audit(const struct conf *conf, int argc, char **argv)
{
	struct wanted wanted = { .organization_id = 0 };
	struct arena *arena = arena_new();
	const char *organization = NULL;
	struct db *db;

	read_arguments(argc, argv, &wanted, &organization);
	db = db_new(conf->database_file);
	cli_connect(db);
	if (organization != NULL && organization_find(db, organization, &wanted.organization_id) != DB_OK)
		fatal("there is no organisation `%s`", organization);
	if (print_all(db, &wanted, arena) != DB_OK)
		fatal("cannot read the audit log: %s", db_last_error(db));
	arena_free(arena);
	db_free(db);
}
