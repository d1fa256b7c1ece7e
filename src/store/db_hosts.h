/* The hosts of the database, as listed in the option file: `host = db1, db2:3307, [2001:db8::1]` in the group
 * [outdial]. The path of a socket is a host too. The client libraries know only one host, or read such a list in
 * different ways, so the list is read here. */
#ifndef STORE_DB_HOSTS_H
#define STORE_DB_HOSTS_H

#include <stddef.h>

#define DB_HOSTS_MAX 16

struct db_host {
	char name[256];
	unsigned port; /* 0: that of the option file */
};

struct db_hosts {
	size_t count; /* 0: there is no list, and the client library reads the host itself */
	struct db_host list[DB_HOSTS_MAX];
};

/* Returns NULL if the text was accepted, else what is wrong with it. */
const char *db_hosts_parse(const char *text, struct db_hosts *out);

/* A fault is fatal, with the file. */
void db_hosts_read(const char *option_file, struct db_hosts *out);

#endif
