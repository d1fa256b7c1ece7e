/* Memory with one owner: everything allocated from an arena is released at once by arena_reset or
 * arena_free. Running out of memory ends the process (fatal), so no result needs a check. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void *arena_alloc(struct arena *arena, size_t size); /* aligned for any type, zeroed */
void *arena_take(struct arena *arena, size_t size);  /* the same, not zeroed */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *arena); /* keeps a moderate amount of memory for the next use */
void arena_free(struct arena *arena);

#endif
