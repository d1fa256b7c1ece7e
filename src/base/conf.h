/* One configuration file for all programs, with lines `key = value`. Every key is one row of a table. The table loads
 * and checks the file, and the manual page and the example file are tested against it. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#define CONF_MAX_DELAYS 20
#define CONF_CELL_MAX 16

/* A list of delays, such as "5s 5m 30m". */
struct conf_delays {
	int count;
	int64_t us[CONF_MAX_DELAYS];
};

struct conf {
	const char *database_file;
	const char *read_database_file; /* "": there is no replica */
	const char *secret_key_file;
	const char *socket;
	int64_t workers;
	int64_t worker_requests;
	const char *public_url;
	const char *cell; /* "": there is one only */
	int64_t max_in_flight;
	int64_t dispatch_ttl_seconds;
	int64_t call_give_up_after; /* microseconds of callable time */
	int64_t lease_seconds;
	int64_t webhook_connect_timeout_seconds;
	int64_t webhook_timeout_seconds;
	struct conf_delays webhook_retry_delays;
	int64_t webhook_disable_after; /* microseconds */
	bool webhook_allow_http;
	bool webhook_allow_private;
	const char *webhook_allow; /* this and the next are lists (base/network.h) */
	const char *webhook_ports;
	const char *webhook_ca_file; /* "" in this and the next two: none */
	const char *webhook_client_certificate;
	const char *webhook_client_key;
	int64_t webhook_retention_days;
	int64_t audit_retention_days;
	bool ledger;
	int64_t ledger_retention_days;  /* 0: for ever */
	const char *number_zones_file;  /* "": none */
	const char *calling_hours_file; /* "": the file that is installed */
	int64_t log_level;
};

/* Reads the file and sets the log level. Any fault (unknown key, bad value, unreadable file) is fatal, and is logged
 * with file and line. The strings live as long as the process. */
struct conf conf_load(const char *path);
/* Prints every key with the value in force, one per line, in the form of the file. */
void conf_print(const struct conf *conf);

#endif
