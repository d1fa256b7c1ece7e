#include "base/vault.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/settings.h"

struct vault_key {
	uint8_t id[VAULT_ID_SIZE];
	uint8_t key[CRYPTO_KEY_SIZE]; /* as the operator gave it: all other keys are derived from it */
	uint8_t sealing_key[CRYPTO_KEY_SIZE];
};

static struct vault_key keys[VAULT_KEYS_MAX];
static size_t key_count;

static void derive(const uint8_t key[CRYPTO_KEY_SIZE], const char *purpose, uint8_t out[SHA256_SIZE])
{
	crypto_hmac_sha256(key, CRYPTO_KEY_SIZE, purpose, strlen(purpose), out);
}

static struct vault_key *find(const uint8_t id[VAULT_ID_SIZE])
{
	for (size_t i = 0; i < key_count; i++)
		if (memcmp(keys[i].id, id, VAULT_ID_SIZE) == 0)
			return &keys[i];
	return NULL;
}

/* The content of the line never appears in a message. */
static void load_line(const char *text, const char *path, int number)
{
	struct vault_key *key = &keys[key_count];
	uint8_t id[SHA256_SIZE];

	if (key_count == VAULT_KEYS_MAX)
		fatal("%s:%d: there are more than %d keys", path, number, VAULT_KEYS_MAX);
	if (!crypto_base64_decode(text, key->key, sizeof key->key) && !crypto_hex_decode(text, key->key, sizeof key->key))
		fatal("%s:%d: a key is 32 bytes as base64 or as hex", path, number);
	derive(key->key, "outdial key id", id);
	if (find(id) != NULL)
		fatal("%s:%d: this key is in the file twice", path, number);
	memcpy(key->id, id, VAULT_ID_SIZE);
	derive(key->key, "outdial sealing key", key->sealing_key);
	key_count++;
}

static FILE *open_file(const char *path)
{
	mode_t mode;
	FILE *file = settings_open(path, &mode);

	if (file == NULL)
		fatal("%s: %s (the keys that webhook secrets are stored under: see outdial.conf(5), secret_key_file)", path,
		      strerror(errno));
	if ((mode & S_IROTH) != 0)
		fatal("%s: everybody can read these keys: chmod 640", path);
	return file;
}

void vault_load(const char *path)
{
	static const char space[] = " \t\r\n";
	FILE *file = open_file(path);
	char line[256], *text;

	key_count = 0;
	for (int number = 1; fgets(line, sizeof line, file) != NULL; number++) {
		text = line + strspn(line, space);
		for (size_t len = strlen(text); len > 0 && strchr(space, text[len - 1]) != NULL;)
			text[--len] = '\0';
		if (*text != '\0' && *text != '#')
			load_line(text, path, number);
	}
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	if (key_count == 0)
		fatal("%s: there is no key in it", path);
	crypto_forget(line, sizeof line);
	fclose(file);
}

const uint8_t *vault_key_id(void)
{
	assert(key_count > 0);
	return keys[0].id;
}

bool vault_has_key(const uint8_t id[VAULT_ID_SIZE])
{
	return find(id) != NULL;
}

void vault_seal(struct buf *out, const struct uuid *owner, const void *data, size_t len)
{
	uint8_t nonce[CRYPTO_NONCE_SIZE], tag[CRYPTO_TAG_SIZE], sealed[256];

	assert(key_count > 0 && len <= sizeof sealed);
	crypto_random(nonce, sizeof nonce);
	crypto_encrypt(&(struct crypto_box){ keys[0].sealing_key, nonce, owner, sizeof *owner }, data, len, sealed, tag);
	buf_add(out, keys[0].id, VAULT_ID_SIZE);
	buf_add(out, nonce, sizeof nonce);
	buf_add(out, sealed, len);
	buf_add(out, tag, sizeof tag);
}

bool vault_open(const struct uuid *owner, const void *sealed, size_t len, uint8_t *out)
{
	const uint8_t *nonce = (const uint8_t *)sealed + VAULT_ID_SIZE, *data = nonce + CRYPTO_NONCE_SIZE;
	const struct vault_key *key;

	if (len < VAULT_OVERHEAD)
		return false;
	key = find(sealed);
	len -= VAULT_OVERHEAD;
	return key != NULL && crypto_decrypt(&(struct crypto_box){ key->sealing_key, nonce, owner, sizeof *owner }, data,
	                                     len, out, data + len);
}

static void mac_with(const struct vault_key *key, const char *purpose, const void *data, size_t len,
                     uint8_t out[SHA256_SIZE])
{
	uint8_t mac_key[SHA256_SIZE];

	derive(key->key, purpose, mac_key);
	crypto_hmac_sha256(mac_key, sizeof mac_key, data, len, out);
}

void vault_mac(const char *purpose, const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
	assert(key_count > 0);
	mac_with(&keys[0], purpose, data, len, out);
}

bool vault_mac_fits(const char *purpose, const void *data, size_t len, const void *mac, size_t mac_len)
{
	uint8_t right[SHA256_SIZE];
	bool fits = false;

	assert(mac_len <= sizeof right);
	for (size_t i = 0; i < key_count; i++) {
		mac_with(&keys[i], purpose, data, len, right);
		fits |= crypto_equal(right, mac, mac_len);
	}
	return fits;
}
