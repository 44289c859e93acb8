/* SPDX-License-Identifier: Apache-2.0 */
/* Maps keep insertion order; SHA-256 against FIPS 180-4's examples. */
#include <stdlib.h>
#include "ir.h"
#include "o2ctest.h"

static void test_map(void)
{
  Arena a = {0};
  Map m;
  static int value[20000];
  map_init(&m, &a);
  CHECK(map_get(&m, "x", 1) == NULL);
  for (int i = 0; i < 20000; i++) {
    char *key = arena_printf(&a, "key%d", i);
    void **at = map_at(&m, key, strlen(key));
    CHECK(*at == NULL);
    *at = &value[i];
  }
  CHECK(m.n == 20000);
  for (int i = 0; i < 20000; i++) {
    char *key = arena_printf(&a, "key%d", i);
    CHECK(map_get(&m, key, strlen(key)) == &value[i]);
    CHECK(m.slot[i].value == &value[i]);
    CHECK_STR(m.slot[i].key, key);
  }
  /* Keys may hold any bytes, and may be empty. */
  *map_at(&m, "a\0b", 3) = &value[1];
  CHECK(map_get(&m, "a\0c", 3) == NULL);
  CHECK(map_get(&m, "a\0b", 3) == &value[1]);
  *map_at(&m, "", 0) = &value[2];
  CHECK(map_get(&m, NULL, 0) == &value[2] || map_get(&m, "", 0) == &value[2]);
  arena_free(&a);
}

static void check_sha(const void *p, size_t n, const char *want)
{
  char out[65];
  sha256_hex(p, n, out);
  CHECK_STR(out, want);
}

static void test_sha(void)
{
  check_sha("", 0, "e3b0c44298fc1c149afbf4c8996fb924"
                   "27ae41e4649b934ca495991b7852b855");
  check_sha("abc", 3, "ba7816bf8f01cfea414140de5dae2223"
                      "b00361a396177a9cb410ff61f20015ad");
  check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
            "248d6a61d20638b8e5c026930c3e6039"
            "a33ce45964ff2167f6ecedd419db06c1");
  char *million = malloc(1000000);
  memset(million, 'a', 1000000);
  check_sha(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67"
                              "f1809a48a497200e046d39ccc7112cd0");
  free(million);
}

int main(void)
{
  test_map();
  test_sha();
  CHECK(hash_bytes("abc", 3, 0) != hash_bytes("abd", 3, 0));
  CHECK(hash_bytes("abc", 3, 0) != hash_bytes("abc", 3, 1));
  return test_end();
}
