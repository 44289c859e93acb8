/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: alignment, zeroed memory, growth, failure by the panic jump. */
#include "ir.h"
#include "o2ctest.h"

static void test_alloc(void)
{
  Arena a = {0};
  for (size_t n = 0; n < 3000; n += 7) {
    unsigned char *p = arena_alloc(&a, n);
    CHECK((uintptr_t)p % 16 == 0);
    for (size_t i = 0; i < n; i++) CHECK(p[i] == 0);
    memset(p, 0xff, n);
  }
  /* A big piece does not end the small block. */
  unsigned char *big = arena_alloc(&a, (size_t)8 << 20);
  CHECK(big[0] == 0 && big[((size_t)8 << 20) - 1] == 0);
  CHECK(a.used > ((size_t)8 << 20));
  arena_free(&a);
  CHECK(a.used == 0);
}

static void test_grow(void)
{
  Arena a = {0};
  int *v = NULL;
  for (int i = 0; i < 1000; i++) {
    v = arena_grow(&a, v, i, sizeof *v);
    v[i] = i;
  }
  for (int i = 0; i < 1000; i++) CHECK(v[i] == i);
  /* An array of exact size may grow, too. */
  int64_t *w = NEW(&a, int64_t, 3);
  int64_t *guard = NEW(&a, int64_t, 1);
  w[2] = 5;
  w = arena_grow(&a, w, 3, sizeof *w);
  w[3] = 7;
  CHECK(w[2] == 5 && *guard == 0);
  arena_free(&a);
}

static void test_text(void)
{
  Arena a = {0};
  CHECK_STR(arena_printf(&a, "%d-%s", 12, "x"), "12-x");
  CHECK_STR(arena_strn(&a, "hello", 3), "hel");
  CHECK_STR(arena_strn(&a, NULL, 0), "");
  CHECK_STR(arena_str(&a, ""), "");
  arena_free(&a);
}

static void test_panic(void)
{
  static Arena a;
  static jmp_buf edge;
  static int jumps;
  a.panic = &edge;
  jumps = 0;
  if (setjmp(edge)) jumps++;
  if (jumps == 0) arena_array(&a, 8, SIZE_MAX / 4);
  if (jumps == 1) arena_alloc(&a, SIZE_MAX - 3);
  CHECK(jumps == 2);
  arena_free(&a);
}

int main(void)
{
  test_alloc();
  test_grow();
  test_text();
  test_panic();
  return test_end();
}
