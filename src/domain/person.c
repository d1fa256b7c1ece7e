#include "domain/person.h"

#include <stdio.h>
#include <string.h>

#include "base/vault.h"

void person_mark(const char *phone_number, char out[PERSON_MARK])
{
	uint8_t mac[SHA256_SIZE];

	vault_mac("outdial person", phone_number, strlen(phone_number), mac);
	for (size_t i = 0; i < PERSON_MARK / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", mac[i]);
}
