#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define BLOCK_SIZE (64 * 1024)

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *head; /* the block being filled; older and oversized blocks follow */
};

static struct block *block_new(size_t size, struct block *next)
{
	struct block *block = malloc(sizeof *block + size);

	if (block == NULL)
		fatal("out of memory (%zu bytes)", size);
	block->next = next;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *arena_new(void)
{
	struct arena *arena = malloc(sizeof *arena);

	if (arena == NULL)
		fatal("out of memory");
	arena->head = block_new(BLOCK_SIZE, NULL);
	return arena;
}

void *arena_take(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct block *head = arena->head;
	char *at;

	size = (size + align - 1) & ~(align - 1);
	if (head->size - head->used < size) {
		if (size > BLOCK_SIZE / 4) { /* gets a block of its own, after the block being filled */
			head->next = block_new(size, head->next);
			head->next->used = size;
			return head->next->data;
		}
		head = arena->head = block_new(BLOCK_SIZE, head);
	}
	at = head->data + head->used;
	head->used += size;
	return at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_take(arena, size), 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_take(arena, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	text = arena_take(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void arena_reset(struct arena *arena)
{
	struct block *block = arena->head, *next;

	for (struct block *old = block->next; old != NULL; old = next) {
		next = old->next;
		free(old);
	}
	block->next = NULL;
	block->used = 0;
}

void arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_reset(arena);
	free(arena->head);
	free(arena);
}
