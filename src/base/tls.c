#include "base/tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/settings.h"

static FILE *open_file(const char *path)
{
	FILE *file = settings_open(path, NULL);

	if (file == NULL)
		fatal("%s: %s", path, strerror(errno));
	return file;
}

static X509 *read_certificate(const char *path)
{
	FILE *file = open_file(path);
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

	fclose(file);
	if (certificate == NULL)
		fatal("%s: there is no certificate (PEM) in it", path);
	return certificate;
}

/* There is nobody to ask for a password. */
static int no_password(char *out, int size, int writing, void *context)
{
	(void)out, (void)size, (void)writing, (void)context;
	return -1;
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *file = open_file(path);
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_password, NULL);

	fclose(file);
	if (key == NULL)
		fatal("%s: there is no private key (PEM, without a password) in it", path);
	return key;
}

static void require_pair(const char *certificate_file, const char *key_file)
{
	X509 *certificate = read_certificate(certificate_file);
	EVP_PKEY *key = read_key(key_file);

	if (X509_check_private_key(certificate, key) != 1)
		fatal("%s: is not the key of the certificate in %s", key_file, certificate_file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void tls_require_files(const struct conf *conf)
{
	if (*conf->webhook_ca_file != '\0')
		X509_free(read_certificate(conf->webhook_ca_file));
	if ((*conf->webhook_client_certificate == '\0') != (*conf->webhook_client_key == '\0'))
		fatal("webhook_client_certificate and webhook_client_key need each other");
	if (*conf->webhook_client_certificate != '\0')
		require_pair(conf->webhook_client_certificate, conf->webhook_client_key);
}
