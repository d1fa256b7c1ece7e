#include "domain/delivery.h"

#define VARIANT 0x80 /* the two upper bits of the second half are the variant of the UUID */

struct uuid delivery_id(const struct uuid *event_id, int64_t row)
{
	struct uuid id = *event_id;

	for (int i = 0; i < 8; i++)
		id.b[8 + i] = (uint8_t)((uint64_t)row >> (56 - 8 * i));
	id.b[8] = (uint8_t)((id.b[8] & 0x3f) | VARIANT);
	return id;
}

int64_t delivery_row(const struct uuid *id)
{
	uint64_t row = id->b[8] & 0x3f;

	for (int i = 1; i < 8; i++)
		row = row << 8 | id->b[8 + i];
	return (int64_t)row;
}
