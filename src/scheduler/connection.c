#include "scheduler/connection.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include "domain/target.h"

/* Checks the resolved address before every connection, so a name that resolves to another address a moment later (DNS
 * rebinding) cannot bypass the rules. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct connection *connection = context;

	(void)purpose;
	if (!target_port_is_allowed(&address->addr, connection->conf) ||
	    (!connection->host_is_allowed && !target_address_is_allowed(&address->addr, connection->conf))) {
		connection->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void prepare_tls(CURL *curl, const struct conf *conf)
{
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (*conf->webhook_ca_file != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, conf->webhook_ca_file);
	/* Only one file: with a folder too, libcurl would read all of it again for every connection. */
	if (*conf->webhook_ca_file != '\0' || curl_version_info(CURLVERSION_NOW)->cainfo != NULL)
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	if (*conf->webhook_client_certificate != '\0') {
		curl_easy_setopt(curl, CURLOPT_SSLCERT, conf->webhook_client_certificate);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, conf->webhook_client_key);
	}
}

void connection_prepare(struct connection *connection, void *curl, const struct conf *conf)
{
	*connection = (struct connection){ .conf = conf };
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, conf->webhook_allow_http ? "http,https" : "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* nor a proxy from the environment */
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, connection);
	prepare_tls(curl, conf);
}

void connection_begin(struct connection *connection, const char *url)
{
	connection->host_is_allowed = target_host_is_allowed(url, connection->conf);
	connection->refused = false;
}
