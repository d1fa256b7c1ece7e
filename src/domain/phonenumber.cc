// The room of libphonenumber: the only C++ of Outdial.
#include "domain/phonenumber.h"

#include <cstring>
#include <phonenumbers/phonenumberutil.h>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static phonenumber_result judge(const PhoneNumber &number, bool is_long_enough)
{
	const PhoneNumberUtil &rules = *PhoneNumberUtil::GetInstance();

	switch (rules.IsPossibleNumberWithReason(number)) {
	case PhoneNumberUtil::TOO_SHORT:
	case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY: return PHONENUMBER_TOO_SHORT;
	case PhoneNumberUtil::TOO_LONG: return PHONENUMBER_TOO_LONG;
	case PhoneNumberUtil::IS_POSSIBLE: break;
	default: return PHONENUMBER_UNUSED;
	}
	return is_long_enough || rules.IsValidNumber(number) ? PHONENUMBER_OK : PHONENUMBER_UNUSED;
}

static phonenumber_result read(const std::string &text, const char *country, bool is_long_enough, char *out)
{
	const PhoneNumberUtil &rules = *PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	std::string e164;
	phonenumber_result result;

	switch (rules.Parse(text, country, &number)) {
	case PhoneNumberUtil::NO_PARSING_ERROR: break;
	case PhoneNumberUtil::TOO_SHORT_NSN:
	case PhoneNumberUtil::TOO_SHORT_AFTER_IDD: return PHONENUMBER_TOO_SHORT;
	case PhoneNumberUtil::TOO_LONG_NSN: return PHONENUMBER_TOO_LONG;
	default: return PHONENUMBER_UNUSED;
	}
	result = judge(number, is_long_enough);
	if (result != PHONENUMBER_OK)
		return result;
	rules.Format(number, PhoneNumberUtil::E164, &e164);
	if (e164.size() >= PHONENUMBER_SIZE)
		return PHONENUMBER_TOO_LONG;
	std::memcpy(out, e164.c_str(), e164.size() + 1);
	return PHONENUMBER_OK;
}

int phonenumber_knows(const char *country)
{
	return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(country) != 0;
}

phonenumber_result phonenumber_complete(const char *digits, const char *country, int is_long_enough,
                                        char out[PHONENUMBER_SIZE])
{
	// In some countries 00 is not how one dials abroad, but people write it all the same.
	if (std::strncmp(digits, "00", 2) == 0 &&
	    read(std::string("+") + (digits + 2), country, is_long_enough != 0, out) == PHONENUMBER_OK)
		return PHONENUMBER_OK;
	return read(digits, country, is_long_enough != 0, out);
}
