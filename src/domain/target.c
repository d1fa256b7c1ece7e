#include "domain/target.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/network.h"
#include "domain/address.h"

#define MAX_HOST 253
#define MAX_LABEL 63

/* The parts of an http:// or https:// URL that say where it leads. */
struct place {
	bool https;
	const char *host; /* of an IPv6 address without its brackets */
	size_t host_len;
	bool is_v6;
	const char *port; /* NULL: none is given */
	size_t port_len;
};

static bool split(const char *url, struct place *out)
{
	const char *authority, *end, *close;

	out->https = strncasecmp(url, "https://", 8) == 0;
	if (!out->https && strncasecmp(url, "http://", 7) != 0)
		return false;
	authority = url + (out->https ? 8 : 7);
	end = authority + strcspn(authority, "/?#");
	out->is_v6 = *authority == '[';
	out->host = authority + out->is_v6;
	close = out->is_v6 ? memchr(authority, ']', (size_t)(end - authority))
	                   : memchr(authority, ':', (size_t)(end - authority));
	if (out->is_v6 && close == NULL)
		return false;
	if (close == NULL)
		close = end;
	out->host_len = (size_t)(close - out->host);
	close += out->is_v6;
	out->port = close < end && *close == ':' ? close + 1 : NULL;
	out->port_len = out->port != NULL ? (size_t)(end - out->port) : 0;
	return close == end || out->port != NULL;
}

static int port_of(const struct place *place)
{
	int port = 0;

	if (place->port == NULL)
		return place->https ? 443 : 80;
	if (place->port_len == 0 || place->port_len > 5 || *place->port == '0')
		return -1;
	for (size_t i = 0; i < place->port_len; i++) {
		if (!isdigit((unsigned char)place->port[i]))
			return -1;
		port = port * 10 + place->port[i] - '0';
	}
	return port <= 65535 ? port : -1;
}

/* Returns whether the label is "10", "0x0a" or "012": some parsers read such a last label, or a host of one label,
 * as a number. */
static bool is_number(const char *label, size_t len)
{
	bool is_hex = len >= 2 && label[0] == '0' && (label[1] | 0x20) == 'x';

	for (size_t i = is_hex ? 2 : 0; i < len; i++)
		if (is_hex ? !isxdigit((unsigned char)label[i]) : !isdigit((unsigned char)label[i]))
			return false;
	return true;
}

static bool is_label(const char *label, size_t len)
{
	if (len == 0 || len > MAX_LABEL || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return false;
	return true;
}

/* Returns whether the host consists of labels of letters, digits and hyphens, and the last is not a number. */
static bool is_name(const struct place *place)
{
	const char *label = place->host, *end = place->host + place->host_len;

	for (;;) {
		size_t left = (size_t)(end - label);
		const char *dot = memchr(label, '.', left);
		size_t len = dot != NULL ? (size_t)(dot - label) : left;

		if (!is_label(label, len))
			return false;
		if (dot == NULL)
			return !is_number(label, len);
		label = dot + 1;
	}
}

/* Returns whether the host is an address in its one canonical spelling. */
static bool read_address(const struct place *place, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char text[INET6_ADDRSTRLEN];

	memset(out, 0, sizeof *out);
	if (place->host_len >= sizeof text)
		return false;
	memcpy(text, place->host, place->host_len);
	text[place->host_len] = '\0';
	out->ss_family = place->is_v6 ? AF_INET6 : AF_INET;
	return inet_pton(out->ss_family, text, place->is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) == 1;
}

static const char *host_fault(const struct place *place, const struct conf *conf)
{
	struct sockaddr_storage address;

	if (place->host_len == 0)
		return "has no host";
	if (place->host_len > MAX_HOST)
		return "has a host name that is too long";
	if (read_address(place, &address))
		return target_address_is_allowed((struct sockaddr *)&address, conf) ||
		               network_list_has_host(conf->webhook_allow, place->host, place->host_len)
		           ? NULL
		           : "has an address that is not public (or allowed by the operator)";
	if (place->is_v6 || !is_name(place))
		return "has a host that is neither a name nor a plainly written address";
	return NULL;
}

static const char *character_fault(const char *url)
{
	for (const char *c = url; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return "must not contain spaces, control or non-ASCII characters";
		if (*c == '\\')
			return "must not contain backslashes";
	}
	return NULL;
}

static bool carries_a_user(const char *url)
{
	const char *authority = url + strcspn(url, "/");

	authority += strspn(authority, "/");
	return memchr(authority, '@', strcspn(authority, "/?#")) != NULL;
}

const char *target_url_fault(const char *url, const struct conf *conf)
{
	const char *fault = character_fault(url);
	struct place place;
	int port;

	if (fault != NULL)
		return fault;
	if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
		return "must begin with https://";
	if (carries_a_user(url))
		return "must not contain user names or passwords";
	if (!split(url, &place))
		return "has a host that is neither a name nor a plainly written address";
	if (!place.https && !conf->webhook_allow_http)
		return "must begin with https:// (plain http is not allowed by the operator)";
	port = port_of(&place);
	if (port < 0)
		return "has an invalid port";
	if (!port_list_has(conf->webhook_ports, port))
		return "has a port that the operator does not allow";
	return host_fault(&place, conf);
}

bool target_host_is_allowed(const char *url, const struct conf *conf)
{
	struct place place;

	return split(url, &place) && network_list_has_host(conf->webhook_allow, place.host, place.host_len);
}

bool target_address_is_allowed(const struct sockaddr *address, const struct conf *conf)
{
	return conf->webhook_allow_private || address_is_public(address) ||
	       network_list_has_address(conf->webhook_allow, address);
}

bool target_port_is_allowed(const struct sockaddr *address, const struct conf *conf)
{
	if (address->sa_family == AF_INET)
		return port_list_has(conf->webhook_ports, ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port));
	return address->sa_family == AF_INET6 &&
	       port_list_has(conf->webhook_ports, ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port));
}
