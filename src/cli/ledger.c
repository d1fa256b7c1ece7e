#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/vault.h"
#include "cli/cli.h"
#include "domain/batch.h"
#include "domain/ledger_fields.h"
#include "domain/number.h"
#include "engine/ledger_export.h"
#include "engine/ledger_verify.h"
#include "store/audit_store.h"
#include "store/key_store.h"
#include "store/ledger_store.h"

#define PAGE 100
#define CAMPAIGNS_MAX 100 /* the campaigns whose history is shown */

/* The question, and the campaigns in its decisions. */
struct question {
	struct db *db;
	struct arena *arena;
	int64_t organization_id;
	const char *phone_number;
	int64_t from_us, to_us;
	struct uuid campaigns[CAMPAIGNS_MAX];
	size_t campaign_count;
};

static void check(enum db_result result, struct db *db)
{
	if (result != DB_OK)
		fatal("cannot read the ledger: %s", db_last_error(db));
}

static int64_t read_instant(const char *option, const char *text, int64_t otherwise)
{
	struct when when;

	if (text == NULL)
		return otherwise;
	if (!when_parse(text, &when))
		fatal("--%s must be a date and time such as 2027-01-01T00:00:00Z", option);
	return when.us;
}

static void find_organization(struct question *question, const char *name)
{
	enum db_result result;

	if (name == NULL)
		fatal("--organization is missing: name the organisation of the ledger");
	cli_connect(question->db);
	result = organization_find(question->db, name, &question->organization_id);
	if (result == DB_NOT_FOUND)
		fatal("there is no organisation `%s`", name);
	check(result, question->db);
}

static struct question begin(const struct conf *conf)
{
	return (struct question){ .db = db_new(conf->database_file), .arena = arena_new(), .phone_number = "" };
}

static void end(struct question *question)
{
	arena_free(question->arena);
	db_free(question->db);
}

static void print_instant(const char *label, int64_t us)
{
	char text[32];

	if (us == INSTANT_NONE || us == INSTANT_NEVER)
		return;
	instant_format_iso(us, text);
	printf("    %-20s %s\n", label, text);
}

static void print_id(const char *label, const struct uuid *id)
{
	char text[UUID_TEXT];

	if (uuid_is_nil(id))
		return;
	uuid_format(id, text);
	printf("    %-20s %s\n", label, text);
}

/* A dialer or a client may have chosen the text. */
static void print_text(struct arena *arena, const char *label, const char *value)
{
	if (*value != '\0')
		printf("    %-20s %s\n", label, cli_printable(arena, value));
}

static void print_count(const char *label, int64_t count)
{
	if (count >= 0)
		printf("    %-20s %" PRId64 "\n", label, count);
}

static void print_what(struct arena *arena, const struct ledger_what *what)
{
	print_id("campaign", &what->campaign_id);
	print_count("contact at position", what->position);
	print_count("attempt", what->attempt);
	print_id("call", &what->call_id);
	print_text(arena, "asked for before", what->again ? "yes" : "");
	print_text(arena, "from", what->from);
	print_id("agent", &what->agent_id);
	print_id("by key", &what->key_id);
	print_text(arena, "rule", what->rule);
	print_text(arena, "status", what->status);
	print_text(arena, "reason", what->reason);
	print_text(arena, "said by", what->by);
	print_text(arena, "local time", what->local_time);
	print_text(arena, "in", what->timezone);
	print_instant("planned at", what->planned_at.us);
	print_instant("begins at", what->begins_at.us);
	print_instant("window until", what->window_until.us);
	print_instant("until", what->until.us);
	print_count("calls of the day", what->calls_of_day);
	print_count("calls a day, at most", what->max_calls_per_day);
	print_text(arena, "contact limits", what->contact_limits);
	print_count("do-not-call version", what->do_not_call_version);
}

static void note_campaign(struct question *question, const struct uuid *id)
{
	for (size_t i = 0; i < question->campaign_count; i++)
		if (uuid_equal(&question->campaigns[i], id))
			return;
	if (!uuid_is_nil(id) && question->campaign_count < CAMPAIGNS_MAX)
		question->campaigns[question->campaign_count++] = *id;
}

static void print_decision(struct question *question, const struct ledger_decided *decided)
{
	struct ledger_what what;
	char at[32];

	instant_format_iso(decided->decided_at_us, at);
	if (!ledger_what_read(decided->what.data, decided->what.len, question->arena, &what)) {
		printf("%s  is not readable (block %" PRId64 ")\n", at, decided->seq);
		return;
	}
	printf("%s  %s  (block %" PRId64 ")\n", at, what.decision, decided->seq);
	print_what(question->arena, &what);
	note_campaign(question, &what.campaign_id);
}

/* Prints the history of a campaign: who started it, paused it, changed it. */
static void print_history(struct question *question, const struct uuid *campaign)
{
	struct page page = { .limit = PAGE };
	const struct audit_entry *entries;
	struct listing listing;
	char id[UUID_TEXT], at[32];

	check(audit_list_of(question->db, question->organization_id, AUDIT_CAMPAIGN, campaign, &page, question->arena,
	                    &listing),
	      question->db);
	entries = listing.items;
	uuid_format(campaign, id);
	printf("\nWho decided in campaign %s:\n", id);
	for (size_t i = listing.count; i > 0; i--) {
		const struct audit_entry *entry = &entries[i - 1];

		instant_format_iso(entry->happened_at_us, at);
		printf("  %s  %s", at, entry->to_status < 0 ? "changed" : batch_status_names[entry->to_status]);
		if (uuid_is_nil(&entry->key_id)) {
			printf("  by Outdial");
		} else {
			uuid_format(&entry->key_id, id);
			printf("  by key %s", id);
		}
		printf("%s%s\n", *entry->changes != '\0' ? "  " : "", entry->changes);
	}
}

static void print_number(struct question *question)
{
	struct ledger_filter filter = { question->phone_number, question->from_us, question->to_us };
	struct page_key after;
	struct page page = { .limit = PAGE };
	struct listing listing;

	do {
		const struct ledger_decided *decided;

		check(ledger_list(question->db, question->organization_id, &filter, &page, question->arena, &listing),
		      question->db);
		decided = listing.items;
		for (size_t i = 0; i < listing.count; i++)
			print_decision(question, &decided[i]);
		after = listing.last;
		page.after = &after;
	} while (listing.has_more);
	if (question->campaign_count == 0 && listing.count == 0)
		puts("The ledger has nothing about this number in this time.");
	for (size_t i = 0; i < question->campaign_count; i++)
		print_history(question, &question->campaigns[i]);
}

void cli_ledger_show(const struct conf *conf, int argc, char **argv)
{
	const char *organization = NULL, *from = NULL, *to = NULL;
	const struct argument options[] = { { "organization", &organization }, { "from", &from }, { "to", &to } };
	char **words = arguments_read(argc, argv, options, 3, 1);
	struct question question = begin(conf);

	if (!phone_is_e164(words[0]))
		fatal("`%s` is not a number such as +4930123456", words[0]);
	question.phone_number = words[0];
	question.from_us = read_instant("from", from, INSTANT_NONE);
	question.to_us = read_instant("to", to, INSTANT_NEVER);
	find_organization(&question, organization);
	print_number(&question);
	end(&question);
}

void cli_ledger_export(const struct conf *conf, int argc, char **argv)
{
	const char *organization = NULL, *number = "", *from = NULL, *to = NULL;
	const struct argument options[] = {
		{ "organization", &organization }, { "number", &number }, { "from", &from }, { "to", &to }
	};
	struct question question = begin(conf);
	struct ledger_export export;
	struct buf lines = { 0 };
	enum db_result result;

	arguments_read(argc, argv, options, 4, 0);
	if (*number != '\0' && !phone_is_e164(number))
		fatal("--number must be a number such as +4930123456");
	find_organization(&question, organization);
	export = (struct ledger_export){
		.organization_id = question.organization_id,
		.phone_number = number,
		.from_us = read_instant("from", from, INSTANT_NONE),
		.to_us = read_instant("to", to, INSTANT_NEVER),
	};
	result = ledger_export_begin(question.db, &export);
	if (result != DB_NOT_FOUND) {
		check(result, question.db);
		do {
			buf_reset(&lines);
			check(ledger_export_next(question.db, &export, &lines), question.db);
			fwrite(buf_text(&lines), 1, lines.len, stdout);
		} while (lines.len != 0);
	}
	buf_free(&lines);
	end(&question);
}

void cli_ledger_erase(const struct conf *conf, int argc, char **argv)
{
	const char *organization = NULL;
	const struct argument options[] = { { "organization", &organization } };
	char **words = arguments_read(argc, argv, options, 1, 1);
	struct question question = begin(conf);
	bool more = true;

	if (!phone_is_e164(words[0]))
		fatal("`%s` is not a number such as +4930123456", words[0]);
	vault_load(conf->secret_key_file); /* for the mark in the audit log */
	find_organization(&question, organization);
	check(cli_audit_person(question.db, question.organization_id, words[0], AUDIT_ERASED), question.db);
	while (more) {
		enum db_result result = ledger_erase_step(question.db, question.organization_id, words[0], &more);

		if (result == DB_REFUSED)
			fatal("the organisation `%s` is in another cell, or on its way", organization);
		check(result, question.db);
	}
	printf("The ledger has no decision about %s any more. Its chain is whole.\n", words[0]);
	end(&question);
}

/* "12:ab…": a head as `verify` and the log print it. */
static void read_noted(const char *text, struct ledger_noted *noted)
{
	char *colon;

	noted->seq = strtoll(text, &colon, 10);
	if (colon == text || *colon != ':' || strlen(colon + 1) != LEDGER_HEX - 1 || noted->seq < 1)
		fatal("--head must be a head as `outdial ledger verify` prints it, not `%s`", text);
	noted->hash = colon + 1;
}

static bool verify_one(struct question *question, const struct ledger_noted *noted)
{
	struct ledger_verdict verdict;
	struct ledger_head head;
	const char *name;

	check(ledger_head_read(question->db, question->organization_id, question->arena, &head), question->db);
	check(ledger_verify(question->db, question->organization_id, noted, &verdict), question->db);
	check(ledger_organization_name(question->db, question->organization_id, question->arena, &name), question->db);
	printf("%s: ", cli_printable(question->arena, name));
	if (verdict.fault != NULL)
		printf("BROKEN: block %" PRId64 " %s\n", verdict.bad_seq, verdict.fault);
	else
		printf("sound: %" PRId64 " decisions in %" PRId64 " blocks, head %" PRId64 ":%s\n", verdict.decisions,
		       verdict.blocks, head.seq, head.hash);
	return verdict.fault == NULL;
}

void cli_ledger_verify(const struct conf *conf, int argc, char **argv)
{
	const char *organization = NULL, *head = NULL;
	const struct argument options[] = { { "organization", &organization }, { "head", &head } };
	struct question question = begin(conf);
	struct ledger_noted noted;
	const int64_t *ids;
	size_t count, bad = 0;

	arguments_read(argc, argv, options, 2, 0);
	if (head != NULL) {
		read_noted(head, &noted);
		find_organization(&question, organization);
	}
	cli_connect(question.db);
	check(ledger_organizations(question.db, question.arena, &ids, &count), question.db);
	if (organization != NULL)
		find_organization(&question, organization);
	for (size_t i = 0; i < count; i++) {
		if (organization != NULL && ids[i] != question.organization_id)
			continue;
		question.organization_id = ids[i];
		bad += !verify_one(&question, head != NULL ? &noted : NULL);
	}
	end(&question);
	if (bad != 0)
		exit(EXIT_FAILURE);
}
