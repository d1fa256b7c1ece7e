#include "store/db_writer.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/outage.h"

static const char *name_of(const struct db *db, size_t host, char *text, size_t size)
{
	const struct db_host *named = &db->hosts.list[host];

	if (named->port != 0)
		snprintf(text, size, "%s:%u", named->name, named->port);
	else
		snprintf(text, size, "%s", named->name);
	return text;
}

size_t db_writer_host(void)
{
	return outage_host();
}

void db_writer_lost(const struct db *db, bool hangs)
{
	if (db->hosts.count == 0 || !db->is_writer)
		return;
	outage_host_lost(db->host, db->used_at_us);
	if (hangs)
		outage_move_host(db->host, (db->host + 1) % db->hosts.count);
}

void db_writer_found(const struct db *db)
{
	char name[300];
	int64_t gap_us;

	outage_move_host(outage_host(), db->host);
	if (outage_host_found(db->host, &gap_us))
		log_warning("the database's writes go to %s now, after %.1f s", name_of(db, db->host, name, sizeof name),
		            (double)gap_us / (double)US_PER_SECOND);
}

bool db_writer_has_moved(const struct db *db)
{
	return db->hosts.count > 0 && db->is_writer && db->host != outage_host();
}

void db_writer_look_back(const struct db *db)
{
	struct db look = { .option_file = db->option_file, .hosts = db->hosts, .only_looks = true };
	char name[300];

	if (db->hosts.count == 0 || !db->locks_are_local || outage_host() == 0 || !outage_may_look_back())
		return;
	for (size_t host = 0; host < outage_host(); host++) {
		enum db_result result = db_connect_host(&look, &db->hosts.list[host]);

		db_disconnect(&look);
		if (result != DB_OK || !look.is_writer)
			continue;
		if (outage_go_back(host))
			log_info("the database's writes go back to %s", name_of(db, host, name, sizeof name));
		return;
	}
}
