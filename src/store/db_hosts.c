#include "store/db_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/settings.h"

static const char *parse_port(const char *text, unsigned *port)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end != '\0' || number < 1 || number > 65535)
		return "a port must be a number from 1 to 65535";
	*port = (unsigned)number;
	return NULL;
}

/* Reads one host of the list, with its port after a colon. An IPv6 address is in brackets. */
static const char *parse_host(char *text, struct db_host *out)
{
	char *name = text, *end = text + strcspn(text, ":"), *rest;

	if (*text == '[') {
		name = text + 1;
		end = name + strcspn(name, "]");
		if (*end != ']')
			return "a bracket is not closed";
		*end++ = '\0';
	}
	rest = end;
	if (*name == '\0' || name == rest)
		return "a host has no name";
	if (*rest != '\0' && *rest != ':')
		return "only a port may follow a host";
	if (*rest == ':') {
		*rest = '\0';
		if (parse_port(rest + 1, &out->port) != NULL)
			return parse_port(rest + 1, &out->port);
	}
	if (strlen(name) >= sizeof out->name || strpbrk(name, " \t\"'") != NULL)
		return "a host has a name that cannot be";
	strcpy(out->name, name);
	return NULL;
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r\n");
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		end[-1] = '\0';
	return text;
}

const char *db_hosts_parse(const char *text, struct db_hosts *out)
{
	char copy[4096], *part, *rest = copy;

	out->count = 0;
	if (strlen(text) >= sizeof copy)
		return "the list is too long";
	strcpy(copy, text);
	while ((part = strsep(&rest, ",")) != NULL) {
		struct db_host *host = &out->list[out->count];
		const char *fault;

		if (out->count == DB_HOSTS_MAX)
			return "there are more than 16 hosts";
		*host = (struct db_host){ .port = 0 };
		fault = parse_host(trim(part), host);
		if (fault != NULL)
			return fault;
		out->count++;
	}
	return NULL;
}

/* Returns the value of `host` in a line of the group [outdial], or NULL. */
static char *host_value(char *line, bool *in_group)
{
	char *text = trim(line), *value;

	if (*text == '[')
		*in_group = strcmp(text, "[outdial]") == 0;
	if (!*in_group || strncmp(text, "host", 4) != 0)
		return NULL;
	value = text + 4 + strspn(text + 4, " \t");
	if (*value != '=')
		return NULL;
	value = trim(value + 1);
	if (*value == '"' || *value == '\'') {
		value++;
		value[strcspn(value, "\"'")] = '\0';
	}
	return value;
}

void db_hosts_read(const char *option_file, struct db_hosts *out)
{
	char line[4096], *value;
	bool in_group = false;
	const char *fault;
	FILE *file = settings_open(option_file, NULL);

	*out = (struct db_hosts){ .count = 0 };
	if (file == NULL)
		fatal("%s: %s", option_file, strerror(errno));
	while (fgets(line, sizeof line, file) != NULL) {
		value = host_value(line, &in_group);
		if (value == NULL || strchr(value, ',') == NULL)
			continue;
		fault = db_hosts_parse(value, out);
		if (fault != NULL)
			fatal("%s: host = %s: %s", option_file, value, fault);
	}
	fclose(file);
}
