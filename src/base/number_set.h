/* A set of positive numbers. It takes 16 to 32 bytes per number. */
#ifndef BASE_NUMBER_SET_H
#define BASE_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_set {
	uint64_t *slots; /* 0: empty */
	size_t count, size;
};

/* Adds a number. Returns false if the set had it already. A set of zeros is an empty set. */
bool number_set_add(struct number_set *set, uint64_t number);
void number_set_free(struct number_set *set);

#endif
