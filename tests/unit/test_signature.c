/* Signatures as in Standard Webhooks, the rotation of secrets, and the tokens of calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/report_token.h"
#include "domain/signature.h"
#include "key_file.h"

#define NOW_S INT64_C(1614265330)
#define NOW_US (NOW_S * US_PER_SECOND)

static struct signed_message message(const char *id, int64_t timestamp_s, const char *body)
{
	return (struct signed_message){ id, timestamp_s, body, strlen(body) };
}

/* The example of the standard's reference libraries. */
static struct signing_secrets example(void)
{
	static const uint8_t bytes[24] = {
		0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
		0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
	};
	struct signing_secrets secrets;

	assert_true(secrets_adopt(&secrets, bytes, sizeof bytes));
	return secrets;
}

static void signatures_are_those_of_the_standard(void **state)
{
	struct signing_secrets secrets = example();
	struct signed_message signed_message = message("msg_p5jXN8AQM9LWM0D4loKWxJek", NOW_S, "{\"test\": 2432232314}");
	struct buf text = { 0 };

	(void)state;
	secrets_receiver_key(&secrets, &text);
	assert_string_equal(text.data, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	buf_reset(&text);
	signature_write(&text, &secrets, &signed_message);
	assert_string_equal(text.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_true(signature_fits(text.data, &secrets, &signed_message, NOW_US));
	buf_free(&text);
}

static void a_signature_covers_id_time_and_body(void **state)
{
	struct signing_secrets secrets = example();
	struct signed_message right = message("msg_1", 1, "{}");
	struct signed_message others[] = { message("msg_2", 1, "{}"), message("msg_1", 2, "{}"),
		                               message("msg_1", 1, "{ }") };
	struct buf text = { 0 };

	(void)state;
	signature_write(&text, &secrets, &right);
	assert_int_equal(text.len, 3 + 44);
	assert_true(signature_fits(text.data, &secrets, &right, NOW_US));
	for (int i = 0; i < 3; i++)
		assert_false(signature_fits(text.data, &secrets, &others[i], NOW_US));
	buf_free(&text);
}

static void one_of_several_signatures_must_fit_and_as_a_whole(void **state)
{
	static const char right[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	static const struct {
		const char *header;
		bool fits;
	} cases[] = {
		{ "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", true },
		{ "v1,AAAA v2,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", true },
		{ "  v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=  v1a,AAAA", true },
		{ "", false },
		{ " ", false },
		{ "v1,", false },
		{ "v1", false },
		{ "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false },
		{ "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false },
		{ "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", false },
		{ "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=x", false },
		{ "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=,v1,x", false },
	};
	struct signing_secrets secrets = example();
	struct signed_message signed_message = message("msg_p5jXN8AQM9LWM0D4loKWxJek", NOW_S, "{\"test\": 2432232314}");

	(void)state;
	assert_true(signature_fits(right, &secrets, &signed_message, NOW_US));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (signature_fits(cases[i].header, &secrets, &signed_message, NOW_US) != cases[i].fits)
			fail_msg("\"%s\"", cases[i].header);
}

static size_t count_signatures(const struct signing_secrets *secrets, int64_t timestamp_s)
{
	struct signed_message signed_message = message("msg", timestamp_s, "{}");
	struct buf text = { 0 };
	size_t count = 1;

	signature_write(&text, secrets, &signed_message);
	for (const char *c = text.data; *c != '\0'; c++)
		count += *c == ' ';
	buf_free(&text);
	return count;
}

static void an_old_secret_signs_along_for_a_day(void **state)
{
	int64_t day_s = US_PER_DAY / US_PER_SECOND;
	struct signing_secrets before = example(), secrets = before;
	struct signed_message signed_message = message("msg", NOW_S, "{}");
	struct buf text = { 0 };

	(void)state;
	assert_int_equal(secrets_old_until(&secrets, NOW_US), INSTANT_NONE);
	secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US);
	assert_int_equal(secrets_old_until(&secrets, NOW_US), NOW_US + US_PER_DAY);
	assert_int_equal(secrets_old_until(&secrets, NOW_US + US_PER_DAY), INSTANT_NONE);
	assert_int_equal(count_signatures(&secrets, NOW_S), 2);
	assert_int_equal(count_signatures(&secrets, NOW_S + day_s - 1), 2);
	assert_int_equal(count_signatures(&secrets, NOW_S + day_s), 1);
	signature_write(&text, &before, &signed_message);
	assert_true(signature_fits(text.data, &secrets, &signed_message, NOW_US));
	assert_true(signature_fits(text.data, &secrets, &signed_message, NOW_US + US_PER_DAY - 1));
	assert_false(signature_fits(text.data, &secrets, &signed_message, NOW_US + US_PER_DAY));
	buf_free(&text);
}

static void each_of_several_rotations_has_its_day(void **state)
{
	struct signing_secrets secrets = { .count = 0 };
	struct signing_secret first;

	(void)state;
	secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US);
	first = secrets.list[0];
	assert_int_equal(secrets.count, 1);
	assert_int_equal(first.until_us, INSTANT_NEVER);
	secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US);
	secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US + US_PER_DAY / 2);
	assert_int_equal(count_signatures(&secrets, NOW_S), 3);
	assert_memory_equal(secrets.list[2].bytes, first.bytes, first.len);
	assert_int_equal(secrets.list[2].until_us, NOW_US + US_PER_DAY);
	secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US + US_PER_DAY);
	assert_int_equal(secrets.count, 3); /* the day of the first secret is over */
	for (int i = 0; i < 10; i++)
		secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US + US_PER_DAY);
	assert_int_equal(secrets.count, SECRETS_MAX);
	assert_int_equal(secrets.list[0].until_us, INSTANT_NEVER);
}

/* The key is the key of test 2 in RFC 8032, section 7.1. Another program signed the bytes that the standard signs, and
 * made the expected signature. */
static void key_pairs_sign_too(void **state)
{
	static const uint8_t seed[ED25519_SIZE] = {
		0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
		0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
	};
	struct signing_secrets secrets = {
		.count = 1, .list = { { .type = SIGNATURE_ED25519, .len = sizeof seed, .until_us = INSTANT_NEVER } }
	};
	struct signed_message signed_message = message("msg_1", NOW_S, "{}");
	struct buf text = { 0 };

	(void)state;
	memcpy(secrets.list[0].bytes, seed, sizeof seed);
	secrets_receiver_key(&secrets, &text);
	assert_string_equal(text.data, "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");
	buf_reset(&text);
	signature_write(&text, &secrets, &signed_message);
	assert_string_equal(text.data,
	                    "v1a,PV0DsseRBpmYl/EhiW6XVk4Bw6vT2aY9J5412rCjfFp12iWqOlXI3GnXZPhh/zt7CHs7RHdjTMHbky+Y3ENMCg==");
	assert_false(signature_fits(text.data, &secrets, &signed_message,
	                            NOW_US)); /* a dialer cannot make this signature: Outdial alone has the private key */
	secrets_renew(&secrets, SIGNATURE_HMAC, NOW_US);
	buf_reset(&text);
	signature_write(&text, &secrets, &signed_message);
	assert_memory_equal(text.data, "v1,", 3);
	assert_string_equal(text.data + 3 + 44, " v1a,PV0DsseRBpmYl/EhiW6XVk4Bw6vT2aY9J5412rCjfFp12iWqOlXI3GnXZPhh/"
	                                        "zt7CHs7RHdjTMHbky+Y3ENMCg==");
	buf_free(&text);
}

static void secrets_are_stored_sealed(void **state)
{
	struct signing_secrets secrets = example(), opened;
	struct uuid endpoint = uuid_new(), other = uuid_new();
	struct buf sealed = { 0 };

	(void)state;
	load_keys(KEY_A);
	for (int i = 0; i < SECRETS_MAX; i++)
		secrets_renew(&secrets, i % 2 == 0 ? SIGNATURE_ED25519 : SIGNATURE_HMAC, NOW_US + i);
	secrets_seal(&secrets, &endpoint, &sealed);
	assert_true(sealed.len <= 255); /* webhook_endpoints.secret */
	assert_false(secret_is_in_clear(sealed.len));
	assert_true(secrets_open(&opened, &endpoint, sealed.data, sealed.len));
	assert_int_equal(opened.count, SECRETS_MAX);
	for (size_t i = 0; i < SECRETS_MAX; i++) {
		assert_int_equal(opened.list[i].type, secrets.list[i].type);
		assert_int_equal(opened.list[i].until_us, secrets.list[i].until_us);
		assert_int_equal(opened.list[i].len, secrets.list[i].len);
		assert_memory_equal(opened.list[i].bytes, secrets.list[i].bytes, secrets.list[i].len);
	}
	assert_false(secrets_open(&opened, &other, sealed.data, sealed.len));
	assert_int_equal(opened.count, 0);
	assert_false(secrets_open(&opened, &endpoint, secrets.list[0].bytes, 24));
	assert_true(secret_is_in_clear(24));
	load_keys(KEY_B);
	assert_false(secrets_open(&opened, &endpoint, sealed.data, sealed.len));
	buf_free(&sealed);
}

static void tokens_are_of_one_call(void **state)
{
	struct uuid call_id = uuid_new(), other = uuid_new(), read;
	char token[REPORT_TOKEN_TEXT], again[REPORT_TOKEN_TEXT], touched[REPORT_TOKEN_TEXT];

	(void)state;
	load_keys(KEY_A);
	report_token_text(&call_id, token);
	assert_int_equal(strlen(token), REPORT_TOKEN_TEXT - 1);
	assert_memory_equal(token, REPORT_TOKEN_PREFIX, strlen(REPORT_TOKEN_PREFIX));
	assert_true(report_token_read(token, &read));
	assert_true(uuid_equal(&read, &call_id));
	report_token_text(&other, again);
	assert_string_not_equal(token, again);
	for (size_t i = 0; i < REPORT_TOKEN_TEXT - 1; i++) {
		memcpy(touched, token, sizeof touched);
		touched[i] = touched[i] == 'A' ? 'B' : 'A';
		assert_false(report_token_read(touched, &read));
		touched[i] = '\0';
		assert_false(report_token_read(touched, &read));
	}
	load_keys(KEY_B "\n" KEY_A);
	assert_true(report_token_read(token, &read));
	load_keys(KEY_B);
	assert_false(report_token_read(token, &read));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(signatures_are_those_of_the_standard),
		cmocka_unit_test(a_signature_covers_id_time_and_body),
		cmocka_unit_test(one_of_several_signatures_must_fit_and_as_a_whole),
		cmocka_unit_test(an_old_secret_signs_along_for_a_day),
		cmocka_unit_test(each_of_several_rotations_has_its_day),
		cmocka_unit_test(key_pairs_sign_too),
		cmocka_unit_test(secrets_are_stored_sealed),
		cmocka_unit_test(tokens_are_of_one_call),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
