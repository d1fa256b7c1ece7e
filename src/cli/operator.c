/* The user at the command line, for the audit log. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "domain/person.h"
#include "store/db.h"

static char operator_name[256];

static const char *user_name(void)
{
	static char number[24];
	const struct passwd *user = getpwuid(getuid());

	snprintf(number, sizeof number, "%" PRIdMAX, (intmax_t)getuid());
	return user != NULL ? user->pw_name : number;
}

/* "alice as root@host" under sudo, which names the user; else "root@host". */
void cli_act_as_operator(void)
{
	static struct audit_actor actor = { .address = "", .operator_name = operator_name };
	const char *sudo_user = getenv("SUDO_USER");
	char host[65] = "";

	gethostname(host, sizeof host - 1);
	if (sudo_user != NULL)
		snprintf(operator_name, sizeof operator_name, "%.90s as %.90s@%s", sudo_user, user_name(), host);
	else
		snprintf(operator_name, sizeof operator_name, "%.180s@%s", user_name(), host);
	if (!utf8_is_valid(operator_name, strlen(operator_name)))
		snprintf(operator_name, sizeof operator_name, "unknown@%s", host);
	audit_act_as(&actor);
}

static void check(struct db *db, enum db_result result)
{
	if (result != DB_OK)
		fatal("the database did not write the audit log: %s", db_last_error(db));
}

static struct audit_entry entry_of(enum audit_object object, enum audit_action action, const char *changes)
{
	return (struct audit_entry){
		.object = (int)object,
		.action = (int)action,
		.from_status = -1,
		.to_status = -1,
		.happened_at_us = clock_now_us(),
		.reason = "",
		.changes = changes,
	};
}

int64_t cli_audit_begin(struct db *db, enum audit_action action, const char *changes)
{
	const struct audit_entry entry = entry_of(AUDIT_INSTALLATION, action, changes);

	check(db, audit_write(db, &entry));
	return db_insert_id(db);
}

void cli_audit_end(struct db *db, int64_t row, const char *changes)
{
	static const struct uuid installation;

	check(db, audit_set_changes(db, row, &installation, changes));
}

enum db_result cli_audit_person(struct db *db, int64_t organization_id, const char *phone_number,
                                enum audit_action action)
{
	char mark[PERSON_MARK], changes[PERSON_MARK + 16];
	struct audit_entry entry = entry_of(AUDIT_PERSON, action, changes);

	entry.organization_id = organization_id;
	person_mark(phone_number, mark);
	snprintf(changes, sizeof changes, "{\"person\":\"%s\"}", mark);
	return audit_write(db, &entry);
}
