/* One configuration file for all programs, `key = value` lines. Every key is one row of a table: it
 * loads, checks, and is what the manual page and the example file are tested against. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#define CONF_MAX_DELAYS 20

/* A list of delays, such as "5s 5m 30m". */
struct conf_delays {
	int count;
	int64_t us[CONF_MAX_DELAYS];
};

struct conf {
	const char *database_file;
	const char *secret_key_file;
	const char *socket;
	int64_t workers;
	int64_t worker_requests;
	const char *public_url;
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
	const char *webhook_allow; /* a list of base/network.h, as the next */
	const char *webhook_ports;
	const char *webhook_ca_file; /* "": none, as the next two */
	const char *webhook_client_certificate;
	const char *webhook_client_key;
	int64_t webhook_retention_days;
	const char *number_zones_file; /* "": none */
	int64_t log_level;
};

/* Any fault (unknown key, bad value, unreadable file) is fatal, with file and line. The strings live
 * as long as the process. Sets the log level. */
struct conf conf_load(const char *path);
/* Every key with the value in force, one per line, in the file's own form. */
void conf_print(const struct conf *conf);

#endif
