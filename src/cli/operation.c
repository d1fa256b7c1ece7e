#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arguments.h"
#include "base/instant.h"
#include "base/log.h"
#include "cli/cli.h"
#include "engine/operation.h"

/* Returns the changes for the audit log. The text is valid until the next call. */
static const char *changes_of(const char *name, const char *text, int64_t count)
{
	static char changes[128];

	snprintf(changes, sizeof changes, "{\"%s\":\"%s\",\"count\":%" PRId64 "}", name, text, count);
	return changes;
}

void cli_recover(const struct conf *conf, int argc, char **argv)
{
	const char *before = NULL;
	const struct argument options[] = { { "before", &before } };
	struct when when;
	struct db *db;
	int64_t ended = 0, row;
	enum db_result result;
	char instant[32];

	arguments_read(argc, argv, options, 1, 0);
	if (before == NULL || !when_parse(before, &when))
		fatal("--before must be a date and time such as 2027-01-01T00:00:00Z: when the backup was made");
	db = db_new(conf->database_file);
	cli_connect(db);
	instant_format_iso(when.us, instant);
	row = cli_audit_begin(db, AUDIT_RECOVERED, changes_of("before", instant, 0));
	result = operation_recover(db, when.us, &ended);
	cli_audit_end(db, row, changes_of("before", instant, ended));
	cli_check(result, db);
	db_free(db);
	printf("%" PRId64 " calls ended with the reason `recovered`\n", ended);
}

/* `--all` is required, so that nobody pauses all campaigns by mistake. The log also has an entry for each campaign. */
static void act_on_all(const struct conf *conf, int argc, char **argv, enum audit_action action,
                       enum db_result (*act)(struct db *db, int64_t *changed), const char *done)
{
	int64_t changed = 0, row;
	enum db_result result;
	struct db *db;

	if (argc != 2 || strcmp(argv[1], "--all") != 0)
		fatal("--all is required: single campaigns are paused and resumed by the API");
	db = db_new(conf->database_file);
	cli_connect(db);
	row = cli_audit_begin(db, action, changes_of("campaigns", "all", 0));
	result = act(db, &changed);
	cli_audit_end(db, row, changes_of("campaigns", "all", changed));
	cli_check(result, db);
	db_free(db);
	printf("%" PRId64 " campaigns %s\n", changed, done);
}

void cli_pause(const struct conf *conf, int argc, char **argv)
{
	act_on_all(conf, argc, argv, AUDIT_PAUSED, operation_pause_all, "paused; calls under way go on");
}

void cli_resume(const struct conf *conf, int argc, char **argv)
{
	act_on_all(conf, argc, argv, AUDIT_RESUMED, operation_resume_all, "resumed");
}
