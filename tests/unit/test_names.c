/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile names become C identifiers. */
#include "ir.h"
#include "o2ctest.h"

int main(void)
{
  static const char *const hostile[] = {"", "*/", "m4_syscmd(`rm')", "a b",
    "int", "class", "T", "G_X", "9lives", "__x__", "_", "\xc3\xa9", "o2c_run",
    "linux", "x\ny", "a__b", "NULL", "INT8_MAX", "%d", "_Bool"};
  Arena a = {0};
  for (int i = 0; i < COUNT(hostile); i++) {
    const char *c = c_identifier(&a, hostile[i], "d");
    CHECK(c_valid(c));
    CHECK(!c_reserved(c));
    CHECK(!strstr(c, "__"));
  }
  CHECK_STR(c_identifier(&a, "batch_size", "d"), "batch_size");
  CHECK_STR(c_identifier(&a, "int", "d"), "d_int");
  CHECK_STR(c_identifier(&a, "images:0", "t"), "images_0");
  CHECK(!c_valid("") && !c_valid("1a") && !c_valid("a-b") && c_valid("_a1"));
  char name[500];
  memset(name, 'n', sizeof name);
  name[499] = 0;
  CHECK(strlen(c_identifier(&a, name, "d")) <= 64);
  arena_free(&a);
  return test_end();
}
