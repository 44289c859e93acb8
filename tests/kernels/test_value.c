/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of sequences, optional values and maps: contents, sizes, refusals; the
 * helpers of o2c.h for maps. */
#include "value.h"
#include "o2ctest.h"

static o2c_value tensor(int32_t dtype, int64_t n, void *data)
{
  o2c_value v;
  memset(&v, 0, sizeof v);
  v.dtype = dtype;
  v.rank = 1;
  v.dim[0] = n;
  v.data = data;
  return v;
}

static o2c_value holder(int32_t kind, o2c_value *item, int64_t n)
{
  o2c_value v;
  memset(&v, 0, sizeof v);
  v.kind = kind;
  v.item = item;
  v.count = n;
  return v;
}

static union {
  double align[512];
  unsigned char b[4096];
} room;

static o2c_value copy_of(const o2c_value *x)
{
  o2c_value y;
  const int64_t n = o2c_value_bytes(x);
  memset(&y, 0, sizeof y);
  memset(room.b, 0xc5, sizeof room.b);
  y.data = room.b + (16 - (uintptr_t)room.b % 16) % 16;
  y.size = (size_t)n;
  CHECK(n >= 0 && n <= 4000);
  o2c_value_copy(&y, x);
  CHECK(((unsigned char *)y.data)[n] == 0xc5);
  return y;
}

/* optional(sequence of 3): all levels in one storage, none shared. */
static void test_nested(void)
{
  float a[3] = { 1, 2, 3 };
  int64_t b[1] = { 7 };
  o2c_value item[3], seq, opt, y, *s;
  item[0] = tensor(O2C_F32, 3, a);
  item[1] = tensor(O2C_F32, 0, NULL);
  item[2] = tensor(O2C_I64, 1, b);
  seq = holder(O2C_SEQUENCE, item, 3);
  opt = holder(O2C_OPTIONAL, &seq, 1);
  CHECK(o2c_value_bytes(&opt) ==
        (int64_t)O2C_ALIGN_UP(4 * sizeof y, (size_t)16) + 16 + 16);
  y = copy_of(&opt);
  CHECK(y.kind == O2C_OPTIONAL && y.count == 1);
  s = y.item;
  CHECK(s != &seq && s->kind == O2C_SEQUENCE && s->count == 3);
  CHECK(s->item != item && s->item[0].data != a && s->item[0].size == 12);
  CHECK(!memcmp(s->item[0].data, a, sizeof a));
  CHECK(s->item[1].size == 0 && s->item[1].dim[0] == 0);
  CHECK(!memcmp(s->item[2].data, b, sizeof b));
  CHECK((uintptr_t)s->item[2].data % 16 == 0);
  CHECK(item[0].data == a && seq.item == item); /* the input is as it was */
}

static void test_empty(void)
{
  o2c_value x = holder(O2C_OPTIONAL, NULL, 0), y;
  CHECK(o2c_value_bytes(&x) == 0);
  y = copy_of(&x);
  CHECK(y.count == 0 && !y.item);
}

static void test_strings(void)
{
  o2c_str s[2] = { { "ab", 2 }, { "", 0 } };
  o2c_value item = tensor(O2C_STR, 2, s), x = holder(O2C_SEQUENCE, &item, 1);
  o2c_value y = copy_of(&x);
  const o2c_str *t = (const o2c_str *)y.item->data;
  CHECK(t != s && t[0].p == s[0].p && t[0].len == 2);
}

/* A sequence of two maps, one of them empty. */
static void test_maps(void)
{
  int64_t keys[2] = { 7, -1 };
  double values[2] = { 0.5, 1.5 };
  o2c_value map[2], pair[4], x = holder(O2C_SEQUENCE, map, 2), y;
  o2c_map_set(map, pair, O2C_I64, keys, O2C_F64, values, 2);
  o2c_map_set(map + 1, pair + 2, O2C_I64, NULL, O2C_F64, NULL, 0);
  CHECK(o2c_value_bytes(&x) ==
        (int64_t)O2C_ALIGN_UP(6 * sizeof y, (size_t)16) + 2 * 16);
  y = copy_of(&x);
  CHECK(y.count == 2 && y.item[0].kind == O2C_MAP && y.item[0].count == 2);
  CHECK(y.item[0].item != pair && y.item[0].item[0].data != keys);
  CHECK(o2c_map_find(y.item, -1) == 1 && o2c_map_find(y.item, 2) == -1);
  CHECK(((double *)y.item[0].item[1].data)[1] == 1.5);
  CHECK(y.item[1].count == 0 && o2c_map_find(y.item + 1, 7) == -1);
  pair[0].dim[0] = 1; /* fewer keys than values */
  CHECK(o2c_value_bytes(&x) == -1);
  pair[0].dim[0] = 2;
  pair[1].rank = 2;
  CHECK(o2c_value_bytes(&x) == -1);
  pair[1].rank = 1;
  pair[1].kind = O2C_MAP;
  CHECK(o2c_value_bytes(&x) == -1);
  map[0].item = NULL;
  CHECK(o2c_value_bytes(&x) == -1);
}

static void test_zip(void)
{
  const o2c_str keys[2] = { { "no", 2 }, { "yes", 3 } };
  const float values[6] = { 1, 2, 3, 4, 5, 6 };
  o2c_value all[O2C_ZIP_ROOM(3)], s;
  o2c_zip(&s, all, 3, O2C_STR, keys, 2, values);
  CHECK(s.kind == O2C_SEQUENCE && s.count == 3 && s.item == all);
  CHECK(o2c_map_find_str(s.item + 2, "yes", 3) == 1);
  CHECK(o2c_map_find_str(s.item + 2, "ye", 2) == -1);
  CHECK(o2c_map_find(s.item + 2, 0) == -1); /* of another type */
  CHECK(s.item[2].item[0].data == (void *)(uintptr_t)keys);
  CHECK(((float *)s.item[2].item[1].data)[1] == 6);
  CHECK(o2c_value_bytes(&s) > 0);
  o2c_zip(&s, all, 0, O2C_STR, keys, 2, NULL);
  CHECK(s.count == 0 && o2c_value_bytes(&s) == 0);
}

/* A dense tensor's sparse form, and copies of sparse ones. */
static void test_sparse(void)
{
  const float x[6] = { 0, 1.5f, 0, 0, 0, -2 };
  const int64_t dim[2] = { 2, 3 };
  int64_t linear[2] = { 4, 0 }, count = -1;
  float one[2] = { 7, 8 };
  o2c_value v, y, pair[2];
  const int64_t n = o2c_sparse_bytes(x, 6, 4, 2, &count);
  CHECK(count == 2);
  CHECK(n == (int64_t)O2C_ALIGN_UP(2 * sizeof v, (size_t)16) + 16 + 32);
  memset(&v, 0, sizeof v);
  v.data = room.b + (16 - (uintptr_t)room.b % 16) % 16;
  o2c_sparse_value(&v, x, 6, 4, O2C_F32, 2, dim, count);
  CHECK(v.kind == O2C_SPARSE && v.rank == 2 && v.dim[1] == 3 && v.count == 2);
  CHECK(((float *)v.item[0].data)[1] == -2);
  CHECK(((int64_t *)v.item[1].data)[2] == 1);
  CHECK(((int64_t *)v.item[1].data)[3] == 2);
  o2c_sparse_set(&v, pair, O2C_F32, 2, dim, one, linear, 2);
  pair[1].rank = 1; /* numbered through the dense tensor */
  y = copy_of(&v);
  CHECK(y.rank == 2 && y.dim[0] == 2 && y.dtype == O2C_F32 && y.count == 2);
  CHECK(((int64_t *)y.item[1].data)[0] == 4);
  pair[1].dim[0] = 1;
  CHECK(o2c_value_bytes(&v) == -1);
  pair[1].dim[0] = 2;
  pair[0].dtype = O2C_I32;
  CHECK(o2c_value_bytes(&v) == -1);
  pair[0].dtype = O2C_F32;
  v.rank = -1;
  CHECK(o2c_value_bytes(&v) == -1);
}

static void test_malformed(void)
{
  float a[2] = { 1, 2 };
  o2c_value two[2], x = holder(O2C_OPTIONAL, two, 2), loop;
  two[0] = two[1] = tensor(O2C_F32, 2, a);
  CHECK(o2c_value_bytes(NULL) == -1);
  CHECK(o2c_value_bytes(&two[0]) == -1);  /* a bare tensor */
  CHECK(o2c_value_bytes(&x) == -1);       /* an optional value of two */
  x.kind = O2C_SEQUENCE;
  CHECK(o2c_value_bytes(&x) > 0);
  two[1].dtype = 99;
  CHECK(o2c_value_bytes(&x) == -1);
  two[1] = tensor(O2C_F32, -1, a);
  CHECK(o2c_value_bytes(&x) == -1);
  two[1] = tensor(O2C_F32, INT64_MAX, a);
  CHECK(o2c_value_bytes(&x) == -1);
  two[1] = tensor(O2C_F32, 2, NULL);
  CHECK(o2c_value_bytes(&x) == -1);
  x.item = NULL;
  CHECK(o2c_value_bytes(&x) == -1);
  loop = holder(O2C_SEQUENCE, &loop, 1);
  CHECK(o2c_value_bytes(&loop) == -1);
}

int main(void)
{
  test_nested();
  test_empty();
  test_strings();
  test_maps();
  test_zip();
  test_sparse();
  test_malformed();
  return test_end();
}
