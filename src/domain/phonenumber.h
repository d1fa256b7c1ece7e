/* The interface of the module outdial-phonenumber.so, which completes numbers without a country and judges them by
 * the rules of libphonenumber. It is a module because that library and its rules take more memory than the rest of a
 * worker. phone_country.c loads it for the first such number. */
#ifndef DOMAIN_PHONENUMBER_H
#define DOMAIN_PHONENUMBER_H

#ifdef __cplusplus
extern "C" {
#endif

#define PHONENUMBER_SIZE 17 /* of a number in E.164 form, with its NUL */

enum phonenumber_result {
	PHONENUMBER_OK,
	PHONENUMBER_TOO_SHORT,
	PHONENUMBER_TOO_LONG,
	PHONENUMBER_UNUSED, /* no number of that country begins like this */
};

/* Returns whether the rules of this country are known: ISO 3166, two capital letters. */
int phonenumber_knows(const char *country);

/* Digits as they are dialled in that country, also with its prefix for calls abroad, or 00. is_long_enough: numbers
 * that are not in use, but of a possible length, are taken too. */
enum phonenumber_result phonenumber_complete(const char *digits, const char *country, int is_long_enough,
                                             char out[PHONENUMBER_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
