#include "base/number_set.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"

#define SIZE_MIN 1024 /* a power of two */

/* Returns the slot of the number, or the empty slot where it would be. */
static uint64_t *find(const struct number_set *set, uint64_t number)
{
	uint64_t hash = number * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >>
	                    (__builtin_clzll(set->size) + 1)); /* the highest bits: all bits of the number count there */

	while (set->slots[i] != 0 && set->slots[i] != number)
		i = (i + 1) & (set->size - 1);
	return &set->slots[i];
}

static void grow(struct number_set *set)
{
	struct number_set larger = { .size = set->size != 0 ? 2 * set->size : SIZE_MIN, .count = set->count };

	larger.slots = calloc(larger.size, sizeof *larger.slots);
	if (larger.slots == NULL)
		fatal("out of memory");
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i] != 0)
			*find(&larger, set->slots[i]) = set->slots[i];
	free(set->slots);
	*set = larger;
}

bool number_set_add(struct number_set *set, uint64_t number)
{
	uint64_t *slot;

	assert(number != 0);
	if (2 * set->count >= set->size)
		grow(set);
	slot = find(set, number);
	if (*slot != 0)
		return false;
	*slot = number;
	set->count++;
	return true;
}

void number_set_free(struct number_set *set)
{
	free(set->slots);
	*set = (struct number_set){ 0 };
}
