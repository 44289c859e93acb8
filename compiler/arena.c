/* SPDX-License-Identifier: Apache-2.0 */
/* A bump arena: memory of one model, freed as a whole.
 *
 * Blocks come from calloc, so what is handed out is zero. Each piece is
 * preceded by its size, which lets arena_grow extend any arena array, however
 * it was allocated. Running out of memory leaves through the panic jump. */
#include "ir.h"
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define BLOCK_MIN ((size_t)1 << 16)
#define BLOCK_MAX ((size_t)1 << 22)

struct ArenaBlock {
  struct ArenaBlock *next;
  size_t used, cap; /* of the bytes that follow the header */
};
/* The header, rounded up so that pieces are aligned. */
#define HEADER ((sizeof(struct ArenaBlock) + ALIGN - 1) / ALIGN * ALIGN)

static NORETURN void out_of_memory(Arena *a)
{
  if (a->panic) longjmp(*a->panic, 1);
  abort();
}

static struct ArenaBlock *block_add(Arena *a, size_t need)
{
  size_t cap = a->head ? a->head->cap * 2 : BLOCK_MIN;
  if (cap > BLOCK_MAX) cap = BLOCK_MAX;
  if (cap < need) cap = need;
  struct ArenaBlock *b = calloc(1, HEADER + cap);
  if (!b) out_of_memory(a);
  b->cap = cap;
  /* A block for one big piece is full: keep filling the one before. */
  if (a->head && need > BLOCK_MAX) {
    b->next = a->head->next;
    a->head->next = b;
  } else {
    b->next = a->head;
    a->head = b;
  }
  return b;
}

void *arena_alloc(Arena *a, size_t size)
{
  if (size > SIZE_MAX / 2) out_of_memory(a);
  size_t need = (size + ALIGN - 1) / ALIGN * ALIGN + ALIGN;
  struct ArenaBlock *b = a->head;
  if (!b || b->cap - b->used < need) b = block_add(a, need);
  char *p = (char *)b + HEADER + b->used;
  b->used += need;
  a->used += need;
  *(size_t *)(void *)p = size;
  return p + ALIGN;
}

void *arena_array(Arena *a, size_t size, size_t n)
{
  if (n && size > SIZE_MAX / n) out_of_memory(a);
  return arena_alloc(a, size * n);
}

void *arena_grow(Arena *a, void *items, int n, size_t size)
{
  size_t count = (size_t)n;
  size_t cap = 0;
  if (items) cap = *(size_t *)(void *)((char *)items - ALIGN) / size;
  if (count < cap) return items;
  void *p = arena_array(a, size, count < 4 ? 4 : count * 2);
  if (count) memcpy(p, items, count * size);
  return p;
}

void arena_free(Arena *a)
{
  for (struct ArenaBlock *b = a->head, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  a->head = NULL;
  a->used = 0;
}

char *arena_strn(Arena *a, const char *s, size_t n)
{
  char *p = arena_alloc(a, n + 1);
  if (n) memcpy(p, s, n);
  return p;
}

char *arena_str(Arena *a, const char *s)
{
  return arena_strn(a, s, strlen(s));
}

char *arena_vprintf(Arena *a, const char *fmt, va_list ap)
{
  va_list again;
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  char *p = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
  if (n > 0) vsnprintf(p, (size_t)n + 1, fmt, again);
  va_end(again);
  return p;
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  char *p = arena_vprintf(a, fmt, ap);
  va_end(ap);
  return p;
}
