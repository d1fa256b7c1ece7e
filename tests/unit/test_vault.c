/* Keys of the operator: they open what they have sealed, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "key_file.h"

static const char secret[] = "who reads this has the key";

static struct buf seal(const struct uuid *owner)
{
	struct buf sealed = { 0 };

	vault_seal(&sealed, owner, secret, sizeof secret);
	assert_int_equal(sealed.len, sizeof secret + VAULT_OVERHEAD);
	return sealed;
}

static void assert_opens(const struct uuid *owner, const struct buf *sealed)
{
	uint8_t opened[sizeof secret];

	assert_true(vault_open(owner, sealed->data, sealed->len, opened));
	assert_memory_equal(opened, secret, sizeof secret);
}

static void assert_stays_shut(const struct uuid *owner, const struct buf *sealed)
{
	uint8_t opened[sizeof secret];

	assert_false(vault_open(owner, sealed->data, sealed->len, opened));
}

static void what_is_sealed_opens_for_its_owner_alone(void **state)
{
	struct uuid owner = uuid_new(), other = uuid_new();
	struct buf sealed, again;

	(void)state;
	load_keys(KEY_A);
	sealed = seal(&owner);
	again = seal(&owner);
	assert_opens(&owner, &sealed);
	assert_stays_shut(&other, &sealed);
	assert_memory_not_equal(sealed.data + VAULT_ID_SIZE, again.data + VAULT_ID_SIZE, CRYPTO_NONCE_SIZE);
	buf_free(&sealed);
	buf_free(&again);
}

static void changed_bytes_do_not_open(void **state)
{
	struct uuid owner = uuid_new();
	struct buf sealed;

	(void)state;
	load_keys(KEY_A);
	sealed = seal(&owner);
	for (size_t i = 0; i < sealed.len; i++) {
		sealed.data[i] ^= 1;
		assert_stays_shut(&owner, &sealed);
		sealed.data[i] ^= 1;
	}
	assert_opens(&owner, &sealed);
	for (size_t len = 0; len < sealed.len; len++)
		assert_stays_shut(&owner, &(struct buf){ .data = sealed.data, .len = len });
	buf_free(&sealed);
}

static void the_first_key_seals_and_all_open(void **state)
{
	struct uuid owner = uuid_new();
	struct buf old, fresh;

	(void)state;
	load_keys("# of last year\n\n  " KEY_B "\r\n");
	old = seal(&owner);
	load_keys(KEY_A "\n# of last year\n" KEY_B "\n");
	assert_opens(&owner, &old);
	fresh = seal(&owner);
	assert_memory_equal(fresh.data, vault_key_id(), VAULT_ID_SIZE);
	assert_memory_not_equal(fresh.data, old.data, VAULT_ID_SIZE);
	load_keys(KEY_A);
	assert_opens(&owner, &fresh);
	assert_stays_shut(&owner, &old);
	assert_true(vault_has_key((const uint8_t *)fresh.data));
	assert_false(vault_has_key((const uint8_t *)old.data));
	buf_free(&old);
	buf_free(&fresh);
}

static void macs_fit_under_any_key_and_one_purpose(void **state)
{
	uint8_t mac[SHA256_SIZE];

	(void)state;
	load_keys(KEY_B);
	vault_mac("a", "text", 4, mac);
	load_keys(KEY_A "\n" KEY_B);
	assert_true(vault_mac_fits("a", "text", 4, mac, sizeof mac));
	assert_true(vault_mac_fits("a", "text", 4, mac, 17));
	assert_false(vault_mac_fits("b", "text", 4, mac, 17));
	assert_false(vault_mac_fits("a", "Text", 4, mac, 17));
	load_keys(KEY_A);
	assert_false(vault_mac_fits("a", "text", 4, mac, 17));
}

/* Loading ends the process, so each is tried in a child. */
static int status_of_loading(const char *text)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		fclose(stderr);
		load_keys(text);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void files_that_are_not_taken(void **state)
{
	static const char *const texts[] = {
		"",
		"# nothing\n",
		"secret\n",
		KEY_A "00\n",
		"00" KEY_A,
		KEY_A " " KEY_A,
		KEY_A "\n" KEY_A,
		"=" KEY_B,
		"8NDl2QF5zZ3MNHwdiNQH4JUZpOiLVLuLgHLwNy+qjf8\n",
		"8NDl2QF5zZ3MNHwdiNQH4JUZpOiLVLuLgHLwNy+qjf9=\n",
		"g0"
		"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	};

	(void)state;
	assert_int_equal(status_of_loading(KEY_A "\n" KEY_B "\n"), 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (status_of_loading(texts[i]) == 0)
			fail_msg("%s was taken", texts[i]);
}

static void a_file_that_everybody_can_read_is_not_taken(void **state)
{
	char path[] = "/tmp/outdial-keys-XXXXXX";
	int fd = mkstemp(path), status;
	pid_t child;

	(void)state;
	assert_int_equal(write(fd, KEY_A "\n", 65), 65);
	assert_int_equal(fchmod(fd, 0644), 0);
	child = fork();
	if (child == 0) {
		fclose(stderr);
		vault_load(path);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_not_equal(status, 0);
	unlink(path);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(what_is_sealed_opens_for_its_owner_alone),
		cmocka_unit_test(changed_bytes_do_not_open),
		cmocka_unit_test(the_first_key_seals_and_all_open),
		cmocka_unit_test(macs_fit_under_any_key_and_one_purpose),
		cmocka_unit_test(files_that_are_not_taken),
		cmocka_unit_test(a_file_that_everybody_can_read_is_not_taken),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
