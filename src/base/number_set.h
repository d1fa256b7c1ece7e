/* A set of positive numbers. It takes 16 to 32 bytes for each. */
#ifndef BASE_NUMBER_SET_H
#define BASE_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_set {
	uint64_t *slots; /* 0: empty */
	size_t count, size;
};

/* Returns false if the number was there already. The set starts as zeros. */
bool number_set_add(struct number_set *set, uint64_t number);
void number_set_free(struct number_set *set);

#endif
