/* SPDX-License-Identifier: Apache-2.0 */
/* The table of element types, and the words for sets of them. */
#include "ir.h"
#include "o2ctest.h"

static TypeSet parse(const char *s)
{
  return typeset_parse(s, strlen(s));
}

static int bits(TypeSet s)
{
  int n = 0;
  for (; s; s &= s - 1) n++;
  return n;
}

int main(void)
{
  for (int t = 1; t < DT_COUNT; t++) {
    const DtypeInfo *d = dtype_info((Dtype)t);
    CHECK(d->size > 0 && d->cls != DC_NONE);
    CHECK(dtype_by_name(d->name, strlen(d->name)) == (Dtype)t);
    CHECK(parse(d->name) == DT_BIT(t));
    CHECK(dtype_info(dtype_carrier((Dtype)t))->size == d->size);
  }
  CHECK(dtype_info((Dtype)99)->size == 0);
  CHECK(dtype_by_name("f3", 2) == DT_NONE);
  CHECK(bits(parse("float")) == 3 && bits(parse("num")) == 11);
  CHECK(bits(parse("num32")) == 7 && bits(parse("all")) == 15);
  CHECK(bits(parse("all13")) == 16 && bits(parse("all19")) == 20);
  CHECK(bits(parse("all21")) == 22 && bits(parse("all23")) == 23);
  CHECK(bits(parse("all24")) == 24 && bits(parse("all25")) == 26);
  CHECK(parse(" float  bf16 ") == (parse("float") | DT_BIT(DT_BF16)));
  CHECK(parse("float flaot") == 0);
  CHECK(parse("") == 0);
  return test_end();
}
