#include "base/crypto.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "base/log.h"

/* libcrypto makes many random bytes at once for little more than a few. */
static struct {
	bool is_ready;
	size_t left;
	unsigned char bytes[1024];
} pool;

static void make_random(unsigned char *out, size_t len)
{
	if (len > INT_MAX || RAND_bytes(out, (int)len) != 1)
		fatal("no random numbers from libcrypto");
}

/* After a fork, the two processes must not give out the same bytes. */
static void empty_pool(void)
{
	pool.left = 0;
}

static void fill_pool(void)
{
	if (!pool.is_ready && pthread_atfork(NULL, NULL, empty_pool) != 0)
		fatal("out of memory");
	pool.is_ready = true;
	make_random(pool.bytes, sizeof pool.bytes);
	pool.left = sizeof pool.bytes;
}

void crypto_random(void *out, size_t len)
{
	if (len > sizeof pool.bytes / 8) {
		make_random(out, len);
		return;
	}
	if (pool.left < len)
		fill_pool();
	pool.left -= len;
	memcpy(out, pool.bytes + pool.left, len);
	OPENSSL_cleanse(pool.bytes + pool.left, len);
}

void crypto_sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		fatal("libcrypto has no SHA-256");
}

/* struct crypto_hash is another name of libcrypto's own struct. */
struct crypto_hash *crypto_hash_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		fatal("libcrypto has no SHA-256");
	return (struct crypto_hash *)context;
}

void crypto_hash_add(struct crypto_hash *hash, const void *data, size_t len)
{
	if (EVP_DigestUpdate((EVP_MD_CTX *)hash, data, len) != 1)
		fatal("libcrypto makes no SHA-256");
}

void crypto_hash_end(struct crypto_hash *hash, uint8_t out[SHA256_SIZE])
{
	if (EVP_DigestFinal_ex((EVP_MD_CTX *)hash, out, NULL) != 1)
		fatal("libcrypto makes no SHA-256");
	EVP_MD_CTX_free((EVP_MD_CTX *)hash);
}

/* Made once, because making it takes longer than signing. */
static EVP_MAC_CTX *hmac_context(void)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;

	if (context == NULL || EVP_MAC_CTX_set_params(context, params) != 1)
		fatal("libcrypto has no HMAC-SHA256");
	EVP_MAC_free(mac);
	return context;
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
	static EVP_MAC_CTX *context;
	size_t made;

	if (context == NULL)
		context = hmac_context();
	if (EVP_MAC_init(context, key, key_len, NULL) != 1 || EVP_MAC_update(context, data, len) != 1 ||
	    EVP_MAC_final(context, out, &made, SHA256_SIZE) != 1)
		fatal("libcrypto makes no HMAC-SHA256");
}

void crypto_base64(struct buf *out, const void *data, size_t len)
{
	unsigned char text[65];
	const unsigned char *from = data;

	for (; len > 0;) { /* 48 bytes make 64 characters: only the last part is padded */
		int part = len < 48 ? (int)len : 48;
		int made = EVP_EncodeBlock(text, from, part);

		buf_add(out, text, (size_t)made);
		from += part;
		len -= (size_t)part;
	}
}

/* libcrypto's decoder skips spaces and counts padding as data. So the result is encoded again and compared with the
 * text. */
bool crypto_base64_decode(const char *text, void *out, size_t len)
{
	size_t text_len = strlen(text), block = (len + 2) / 3 * 3;
	struct buf again = { 0 };
	uint8_t *bytes;
	bool fits;

	if (text_len != block / 3 * 4)
		return false;
	bytes = OPENSSL_malloc(block + 1);
	if (bytes == NULL)
		fatal("out of memory");
	fits = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)text_len) == (int)block;
	if (fits) {
		crypto_base64(&again, bytes, len);
		fits = strcmp(buf_text(&again), text) == 0;
	}
	if (fits)
		memcpy(out, bytes, len);
	OPENSSL_clear_free(bytes, block + 1);
	crypto_forget(again.data, again.len);
	buf_free(&again);
	return fits;
}

bool crypto_hex_decode(const char *text, void *out, size_t len)
{
	size_t got;

	return strlen(text) == 2 * len && OPENSSL_hexstr2buf_ex(out, len, &got, text, '\0') == 1 && got == len;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_forget(void *data, size_t len)
{
	if (data != NULL)
		OPENSSL_cleanse(data, len);
}

/* Made once, for the same reason as hmac_context. */
static EVP_CIPHER_CTX *cipher_context(const struct crypto_box *box, int encrypt)
{
	static EVP_CIPHER *cipher;
	static EVP_CIPHER_CTX *context;
	int len;

	if (cipher == NULL)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (context == NULL)
		context = EVP_CIPHER_CTX_new();
	if (cipher == NULL || context == NULL ||
	    EVP_CipherInit_ex2(context, cipher, box->key, box->nonce, encrypt, NULL) != 1 ||
	    EVP_CipherUpdate(context, NULL, &len, box->more, (int)box->more_len) != 1)
		fatal("libcrypto has no AES-256-GCM");
	return context;
}

void crypto_encrypt(const struct crypto_box *box, const void *data, size_t len, uint8_t *out,
                    uint8_t tag[CRYPTO_TAG_SIZE])
{
	EVP_CIPHER_CTX *context = cipher_context(box, 1);
	int made;

	if (EVP_CipherUpdate(context, out, &made, data, (int)len) != 1 ||
	    EVP_CipherFinal_ex(context, out + made, &made) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_SIZE, tag) != 1)
		fatal("libcrypto does not encrypt");
}

bool crypto_decrypt(const struct crypto_box *box, const void *data, size_t len, uint8_t *out,
                    const uint8_t tag[CRYPTO_TAG_SIZE])
{
	EVP_CIPHER_CTX *context = cipher_context(box, 0);
	uint8_t wanted[CRYPTO_TAG_SIZE];
	int made;

	memcpy(wanted, tag, sizeof wanted);
	return EVP_CipherUpdate(context, out, &made, data, (int)len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof wanted, wanted) == 1 &&
	       EVP_CipherFinal_ex(context, out + made, &made) == 1;
}

static EVP_PKEY *ed25519_key(const uint8_t secret[ED25519_SIZE])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, ED25519_SIZE);

	if (key == NULL)
		fatal("libcrypto has no ed25519");
	return key;
}

void crypto_ed25519_public(const uint8_t secret[ED25519_SIZE], uint8_t out[ED25519_SIZE])
{
	EVP_PKEY *key = ed25519_key(secret);
	size_t len = ED25519_SIZE;

	if (EVP_PKEY_get_raw_public_key(key, out, &len) != 1)
		fatal("libcrypto has no ed25519");
	EVP_PKEY_free(key);
}

void crypto_ed25519_sign(const uint8_t secret[ED25519_SIZE], const void *data, size_t len,
                         uint8_t out[ED25519_SIGNATURE_SIZE])
{
	EVP_PKEY *key = ed25519_key(secret);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t made = ED25519_SIGNATURE_SIZE;

	if (context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, out, &made, data, len) != 1)
		fatal("libcrypto does not sign with ed25519");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

static void replace(char *text, char from, char to)
{
	for (; (text = strchr(text, from)) != NULL; text++)
		*text = to;
}

void crypto_base64url(struct buf *out, const void *data, size_t len)
{
	struct buf text = { 0 };

	crypto_base64(&text, data, len);
	if (text.len != 0) {
		replace(text.data, '+', '-');
		replace(text.data, '/', '_');
		buf_add(out, text.data, strcspn(text.data, "="));
	}
	buf_free(&text);
}

bool crypto_base64url_decode(struct buf *out, const char *text)
{
	size_t text_len = strlen(text), len = text_len * 3 / 4;
	struct buf padded = { 0 }, bytes = { 0 };
	bool valid;

	if (len == 0)
		return false;
	buf_puts(&padded, text);
	buf_add(&padded, "===", (4 - text_len % 4) % 4);
	buf_add(&bytes, padded.data, padded.len); /* room enough */
	replace(padded.data, '-', '+');
	replace(padded.data, '_', '/');
	valid = strpbrk(text, "+/=") == NULL && crypto_base64_decode(padded.data, bytes.data, len);
	if (valid)
		buf_add(out, bytes.data, len);
	buf_free(&padded);
	buf_free(&bytes);
	return valid;
}
