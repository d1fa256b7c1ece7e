/* Completes numbers without a country by the country of their list, and checks that they are in use there. The rules
 * are those of libphonenumber, in a module that is loaded at the first use and stays. */
#ifndef DOMAIN_PHONE_COUNTRY_H
#define DOMAIN_PHONE_COUNTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "domain/phonenumber.h"

/* NULL, and *country is ISO 3166 in capital letters; or why no numbers can be completed by it. */
const char *phone_country_check(struct arena *arena, const char **country);

/* Completes a number by a country that was checked. See phonenumber_complete. */
enum phonenumber_result phone_country_complete(const char *digits, const char *country, bool is_long_enough,
                                               char out[PHONENUMBER_SIZE]);

/* Returns whether the module is there. Loading it takes some megabytes. */
bool phone_country_is_loaded(void);

#endif
