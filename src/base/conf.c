#include "base/conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/network.h"
#include "base/settings.h"

enum key_type { KEY_TEXT, KEY_CELL, KEY_INT, KEY_BOOL, KEY_LEVEL, KEY_NETWORKS, KEY_PORTS, KEY_DELAY, KEY_DELAYS };

struct key {
	const char *name;
	enum key_type type;
	size_t offset;
	const char *initial;
	int64_t min, max; /* of a number; for a text of its length; for a delay in seconds */
};

/* clang-format off */
#define KEY(field, type, initial, min, max) { #field, type, offsetof(struct conf, field), initial, min, max }
/* clang-format on */

static const struct key keys[] = {
	KEY(database_file, KEY_TEXT, "/etc/outdial/database.cnf", 1, 4095),
	KEY(read_database_file, KEY_TEXT, "", 0, 4095),
	KEY(secret_key_file, KEY_TEXT, "/etc/outdial/secret.key", 1, 4095),
	KEY(socket, KEY_TEXT, "/run/outdial/api.sock", 1, 107),
	KEY(workers, KEY_INT, "8", 1, 512),
	KEY(worker_requests, KEY_INT, "100000", 1, INT64_C(1000000000)),
	KEY(public_url, KEY_TEXT, "http://127.0.0.1:8080", 8, 1000),
	KEY(cell, KEY_CELL, "", 0, CONF_CELL_MAX),
	KEY(max_in_flight, KEY_INT, "500", 1, 10000),
	KEY(dispatch_ttl_seconds, KEY_INT, "120", 1, 86400),
	KEY(call_give_up_after, KEY_DELAY, "24h", 1, 365 * 86400),
	KEY(lease_seconds, KEY_INT, "30", 20, 3600),
	KEY(webhook_connect_timeout_seconds, KEY_INT, "5", 1, 60),
	KEY(webhook_timeout_seconds, KEY_INT, "15", 1, 60),
	KEY(webhook_retry_delays, KEY_DELAYS, "5s 5m 30m 2h 5h 10h 14h", 1, 7 * 86400),
	KEY(webhook_disable_after, KEY_DELAY, "5d", 1, 365 * 86400),
	KEY(webhook_allow_http, KEY_BOOL, "no", 0, 0),
	KEY(webhook_allow_private, KEY_BOOL, "no", 0, 0),
	KEY(webhook_allow, KEY_NETWORKS, "", 0, 4000),
	KEY(webhook_ports, KEY_PORTS, "1-65535", 1, 4000),
	KEY(webhook_ca_file, KEY_TEXT, "", 0, 4095),
	KEY(webhook_client_certificate, KEY_TEXT, "", 0, 4095),
	KEY(webhook_client_key, KEY_TEXT, "", 0, 4095),
	KEY(webhook_retention_days, KEY_INT, "30", 1, 3650),
	KEY(audit_retention_days, KEY_INT, "730", 1, 36500),
	KEY(ledger, KEY_BOOL, "yes", 0, 0),
	KEY(ledger_retention_days, KEY_INT, "0", 0, 36500),
	KEY(number_zones_file, KEY_TEXT, "", 0, 4095),
	KEY(calling_hours_file, KEY_TEXT, "", 0, 4095),
	KEY(log_level, KEY_LEVEL, "info", 0, 0),
};

/* A scheduler must not take over what another scheduler is still sending. */
#define LEASE_MARGIN_SECONDS 5

#define KEY_COUNT (sizeof keys / sizeof *keys)

static bool parse_int(const struct key *key, const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *out >= key->min && *out <= key->max;
}

static bool parse_choice(const char *const *names, const char *text, int64_t *out)
{
	for (*out = 0; names[*out] != NULL; (*out)++)
		if (strcmp(names[*out], text) == 0)
			return true;
	return false;
}

static const char *set_text(void *at, const struct key *key, const char *text)
{
	static char wanted[96];

	snprintf(wanted, sizeof wanted, "%" PRId64 " to %" PRId64 " characters", key->min, key->max);
	if ((int64_t)strlen(text) < key->min || (int64_t)strlen(text) > key->max)
		return wanted;
	free(*(char **)at); /* the default, or nothing */
	*(char **)at = strdup(text);
	return NULL;
}

static const struct {
	char name;
	int64_t seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
#define UNIT_COUNT (sizeof units / sizeof *units)

/* Reads a whole number and its unit, such as 5m. *end is the text after them. */
static bool parse_delay(const struct key *key, const char *text, const char **end, int64_t *us)
{
	char *unit;
	int64_t number;

	errno = 0;
	number = isdigit((unsigned char)*text) ? strtoll(text, &unit, 10) : -1;
	if (number < 0 || errno != 0)
		return false;
	for (size_t i = 0; i < UNIT_COUNT; i++) {
		if (units[i].name != *unit)
			continue;
		*end = unit + 1;
		*us = number <= key->max ? number * units[i].seconds * US_PER_SECOND : -1;
		return *us >= key->min * US_PER_SECOND && *us <= key->max * US_PER_SECOND;
	}
	return false;
}

static bool parse_one_delay(const struct key *key, const char *text, int64_t *us)
{
	const char *end;

	return parse_delay(key, text, &end, us) && *end == '\0';
}

/* Reads delays that are separated by blanks. */
static bool parse_delays(const struct key *key, const char *text, struct conf_delays *out)
{
	out->count = 0;
	while (*text != '\0') {
		if (out->count == CONF_MAX_DELAYS || !parse_delay(key, text, &text, &out->us[out->count++]))
			return false;
		if (*text != '\0' && *text != ' ')
			return false;
		text += strspn(text, " ");
	}
	return out->count > 0;
}

/* Prints the delay in the largest unit that divides it. */
static void print_delay(int64_t us)
{
	int64_t seconds = us / US_PER_SECOND;
	size_t i = 0;

	while (seconds % units[i].seconds != 0)
		i++;
	printf("%" PRId64 "%c", seconds / units[i].seconds, units[i].name);
}

static void print_delays(const struct conf_delays *delays)
{
	for (int i = 0; i < delays->count; i++) {
		print_delay(delays->us[i]);
		putchar(i + 1 < delays->count ? ' ' : '\n');
	}
}

/* Keys begin with this name. With the name `call`, a key would look like the token of a call. */
static bool is_cell(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(text) && strlen(text) <= CONF_CELL_MAX &&
	       strcmp(text, "call") != 0;
}

/* Returns NULL when the value was accepted, else what would have been right. */
static const char *set_value(struct conf *conf, const struct key *key, const char *text)
{
	static const char *const answers[] = { "no", "yes", NULL };
	static char wanted[128];
	void *at = (char *)conf + key->offset;
	int64_t number;

	switch (key->type) {
	case KEY_NETWORKS:
		if (network_list_fault(text) != NULL)
			return network_list_fault(text);
		return set_text(at, key, text);
	case KEY_PORTS:
		if (port_list_fault(text) != NULL)
			return port_list_fault(text);
		return set_text(at, key, text);
	case KEY_CELL:
		return is_cell(text) ? set_text(at, key, text) : "up to 16 lower case letters and digits, and not `call`";
	case KEY_TEXT: return set_text(at, key, text);
	case KEY_INT:
		snprintf(wanted, sizeof wanted, "a number from %" PRId64 " to %" PRId64, key->min, key->max);
		return parse_int(key, text, at) ? NULL : wanted;
	case KEY_BOOL:
		if (!parse_choice(answers, text, &number))
			return "yes or no";
		*(bool *)at = number != 0;
		return NULL;
	case KEY_LEVEL: return parse_choice(log_level_names, text, at) ? NULL : "error, warning, info or debug";
	case KEY_DELAY:
		snprintf(wanted, sizeof wanted, "a time with its unit (s, m, h, d), up to %" PRId64 "d", key->max / 86400);
		return parse_one_delay(key, text, at) ? NULL : wanted;
	case KEY_DELAYS:
		snprintf(wanted, sizeof wanted, "1 to %d times with their units (s, m, h, d), each up to %" PRId64 "d",
		         CONF_MAX_DELAYS, key->max / 86400);
		return parse_delays(key, text, at) ? NULL : wanted;
	}
	abort();
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		end[-1] = '\0';
	return text;
}

static void load_line(struct conf *conf, bool seen[KEY_COUNT], char *line, const char *path, int number)
{
	char *name = trim(line), *equals, *value;
	const struct key *key;
	const char *wanted;

	if (*name == '\0' || *name == '#')
		return;
	equals = strchr(name, '=');
	if (equals == NULL)
		fatal("%s:%d: expected `key = value`", path, number);
	*equals = '\0';
	name = trim(name);
	value = trim(equals + 1);
	key = find_key(name);
	if (key == NULL)
		fatal("%s:%d: unknown key `%s`", path, number, name);
	if (seen[key - keys])
		fatal("%s:%d: `%s` is set twice", path, number, name);
	seen[key - keys] = true;
	wanted = set_value(conf, key, value);
	if (wanted != NULL)
		fatal("%s:%d: `%s` must be %s, not `%s`", path, number, name, wanted, value);
}

/* A file of the same name that systemd hands over (LoadCredential=) replaces the file that is named. So the named file
 * may be readable by root alone. */
static const char *handed_over(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *slash = strrchr(path, '/');
	char credential[4096];

	if (folder == NULL || *path == '\0')
		return path;
	snprintf(credential, sizeof credential, "%s/%s", folder, slash != NULL ? slash + 1 : path);
	if (access(credential, R_OK) != 0)
		return path;
	free((char *)path);
	return strdup(credential);
}

struct conf conf_load(const char *path)
{
	struct conf conf = { 0 };
	bool seen[KEY_COUNT] = { false };
	char line[8192];
	FILE *file = settings_open(path, NULL);

	if (file == NULL)
		fatal("cannot read the configuration %s: %s", path, strerror(errno));
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (set_value(&conf, &keys[i], keys[i].initial) != NULL)
			abort();
	for (int number = 1; fgets(line, sizeof line, file) != NULL; number++)
		load_line(&conf, seen, line, path, number);
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	fclose(file);
	if (conf.lease_seconds < conf.webhook_timeout_seconds + LEASE_MARGIN_SECONDS)
		fatal("%s: `lease_seconds` must be at least %d more than `webhook_timeout_seconds`", path,
		      LEASE_MARGIN_SECONDS);
	conf.database_file = handed_over(conf.database_file);
	conf.read_database_file = handed_over(conf.read_database_file);
	conf.secret_key_file = handed_over(conf.secret_key_file);
	conf.webhook_client_certificate = handed_over(conf.webhook_client_certificate);
	conf.webhook_client_key = handed_over(conf.webhook_client_key);
	log_set_level((enum log_level)conf.log_level);
	return conf;
}

void conf_print(const struct conf *conf)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const void *at = (const char *)conf + keys[i].offset;

		printf("%s = ", keys[i].name);
		switch (keys[i].type) {
		case KEY_TEXT:
		case KEY_CELL:
		case KEY_NETWORKS:
		case KEY_PORTS: printf("%s\n", *(const char *const *)at); break;
		case KEY_INT: printf("%" PRId64 "\n", *(const int64_t *)at); break;
		case KEY_BOOL: printf("%s\n", *(const bool *)at ? "yes" : "no"); break;
		case KEY_LEVEL: printf("%s\n", log_level_names[*(const int64_t *)at]); break;
		case KEY_DELAY:
			print_delay(*(const int64_t *)at);
			putchar('\n');
			break;
		case KEY_DELAYS: print_delays(at); break;
		}
	}
}
