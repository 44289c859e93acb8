/* SPDX-License-Identifier: Apache-2.0 */
/* Test data of sequences, optional values and maps: written, read again,
 * refused; maps of a hostile file. */
#include <stdlib.h>
#include <unistd.h>
#include "pbwriter.h"

static const Type tensor = {VK_TENSOR, DT_F32, -1, NULL, NULL};
static const Type seq = {VK_SEQ, DT_NONE, -1, NULL, &tensor};
static const Type opt = {VK_OPTIONAL, DT_NONE, -1, NULL, &seq};
static char path[] = "/tmp/o2c_value_XXXXXX";

static bool same(const Tensor *a, const Tensor *b)
{
  if (!a || !b || a->kind != b->kind || a->n != b->n) return false;
  if (a->kind == VK_TENSOR)
    return a->dtype == b->dtype && a->rank == b->rank &&
           (!a->n || a->dtype == DT_STR ||
            !memcmp(a->data, b->data, (size_t)a->n *
                    (size_t)dtype_info(a->dtype)->size));
  for (int64_t i = 0; i < a->n; i++)
    if (!same(a->item[i], b->item[i])) return false;
  return true;
}

static void round_trip(const Tensor *v, const Type *type)
{
  Model *m = model_new(NULL, "");
  CHECK(export_value_file(path, v));
  const Tensor *x = import_value_file(m, path, type);
  CHECK(m->nerror == 0 && same(x, v));
  model_free(m);
}

/* Every file that is cut short is read as less, or refused. */
static void cut_short(const Tensor *v, const Type *type)
{
  char all[4096];
  CHECK(export_value_file(path, v));
  FILE *f = fopen(path, "rb");
  size_t n = f ? fread(all, 1, sizeof all, f) : 0;
  if (f) fclose(f);
  CHECK(n > 20 && n < sizeof all);
  int refused = 0;
  for (size_t k = 1; k < n; k++) {
    Model *m = model_new(NULL, "");
    f = fopen(path, "wb");
    CHECK(f && fwrite(all, 1, k, f) == k && !fclose(f));
    const Tensor *x = import_value_file(m, path, type);
    CHECK((x != NULL) == (m->nerror == 0));
    refused += !x;
    model_free(m);
  }
  CHECK(refused > (int)n / 2);
}

static void wrong_type(const Tensor *v, const Type *type, const char *text)
{
  Model *m = model_new(NULL, "");
  CHECK(export_value_file(path, v));
  CHECK(!import_value_file(m, path, type));
  CHECK(m->nerror > 0 && m->diags && strstr(m->diags->text, text));
  model_free(m);
}

static const Type map = {VK_MAP, DT_I64, -1, NULL, &tensor};
static const Type words = {VK_MAP, DT_STR, -1, NULL, &tensor};
static const Type bytes = {VK_MAP, DT_U8, -1, NULL, &tensor};
static const Type maps = {VK_SEQ, DT_NONE, -1, NULL, &map};

enum { MAP_TYPE = 2, MAP_KEYS = 3, MAP_WORDS = 4, MAP_VALUES = 5,
       SEQ_TENSOR = 3 };

/* A value of `type` with n elements. */
static void put_value(StrBuf *to, int type, int n)
{
  StrBuf t = {0};
  w_int(&t, T_TYPE, type);
  if (n != 1) w_int(&t, T_DIMS, n);
  for (int i = 0; i < n; i++) w_float(&t, T_FLOAT, (float)i);
  w_msg(to, SEQ_TENSOR, &t);
}

/* The file that is `b`, as a map of this type: NULL, and told why; or how many
 * entries. */
static void read_map(StrBuf *b, const Type *type, const char *text, int64_t n)
{
  Model *m = model_new(NULL, "");
  FILE *f = fopen(path, "wb");
  CHECK(f && fwrite(b->s, 1, b->n, f) == b->n && !fclose(f));
  const Tensor *x = import_value_file(m, path, type);
  CHECK((x != NULL) == !text);
  if (x) CHECK(x->kind == VK_MAP && x->item[0]->n == n && x->item[1]->n == n);
  if (text) CHECK(m->diags && strstr(m->diags->text, text));
  sb_free(b);
  model_free(m);
}

static void hostile_maps(void)
{
  StrBuf b = {0}, v = {0};
  w_int(&b, MAP_TYPE, DT_I64);
  read_map(&b, &map, NULL, 0); /* nothing in it, no values at all */
  for (int k = 5; k < 7; k++) w_int(&b, MAP_KEYS, k);
  put_value(&v, DT_F32, 1);
  w_msg(&b, MAP_VALUES, &v);
  read_map(&b, &map, "not as many", 0);
  for (int k = 0; k < 2; k++) w_int(&b, MAP_KEYS, 5);
  for (int k = 0; k < 2; k++) put_value(&v, DT_F32, 1);
  w_msg(&b, MAP_VALUES, &v);
  read_map(&b, &map, "twice", 0);
  w_int(&b, MAP_KEYS, 5);
  put_value(&v, DT_F32, 2);
  w_msg(&b, MAP_VALUES, &v);
  read_map(&b, &map, "single float", 0);
  w_int(&b, MAP_KEYS, 5);
  put_value(&v, DT_F64, 0);
  w_msg(&b, MAP_VALUES, &v);
  read_map(&b, &map, "single float", 0);
  w_str(&b, MAP_WORDS, "a"); /* keys of the other sort */
  put_value(&v, DT_F32, 1);
  w_msg(&b, MAP_VALUES, &v);
  read_map(&b, &map, "does not hold", 0);
  w_int(&b, MAP_TYPE, DT_STR);
  read_map(&b, &map, "does not hold", 0);
  w_int(&b, MAP_KEYS, 256);
  put_value(&v, DT_F32, 1);
  w_msg(&b, MAP_VALUES, &v);
  read_map(&b, &bytes, "out of the range", 0);
}

/* What is written is what is read, and an index outside is refused. */
static void sparse_tensors(void)
{
  static const Type type = {VK_SPARSE, DT_F32, 2, NULL, NULL};
  static const Type other = {VK_SPARSE, DT_I64, 2, NULL, NULL};
  const float dense[6] = {0, 1.5f, 0, 0, 0, -2};
  const Tensor d = {.dtype = DT_F32, .rank = 2, .dim = {2, 3}, .n = 6,
                    .data = dense};
  Arena arena = {0};
  const Tensor *t = sparse_of(&arena, &d), *back = sparse_dense(&arena, t);
  CHECK(t->kind == VK_SPARSE && t->item[0]->n == 2);
  CHECK(tensor_i64(t->item[1], 1) == 1 && tensor_i64(t->item[1], 2) == 1);
  CHECK(back && back->rank == 2 && same(back, &d));
  round_trip(t, &type);
  cut_short(t, &type);
  wrong_type(t, &other, "does not hold");
  tensor_set_i64((Tensor *)(uintptr_t)t->item[1], 3, 3);
  CHECK(!sparse_dense(&arena, t));
  wrong_type(t, &type, "outside of its dims");
  arena_free(&arena);
}

int main(void)
{
  const float data[3] = {1, 2, 3};
  Tensor a = {.dtype = DT_F32, .rank = 1, .dim = {3}, .n = 3, .data = data};
  Tensor e = {.dtype = DT_F32, .rank = 1, .dim = {0}, .n = 0, .data = data};
  const Tensor *two[2] = {&a, &e};
  Tensor s = {.kind = VK_SEQ, .n = 2, .item = two, .name = "x"};
  const Tensor *one[1] = {&s};
  Tensor o = {.kind = VK_OPTIONAL, .n = 1, .item = one, .name = "o"};
  Tensor none = {.kind = VK_OPTIONAL, .name = "o"};
  Tensor empty = {.kind = VK_SEQ, .name = "x"};
  int fd = mkstemp(path);
  CHECK(fd >= 0);
  if (fd >= 0) close(fd);
  round_trip(&s, &seq);
  round_trip(&empty, &seq);
  round_trip(&o, &opt);
  round_trip(&none, &opt);
  cut_short(&s, &seq);
  cut_short(&o, &opt);
  const Type deep = {VK_SEQ, DT_NONE, -1, NULL, &seq};
  const Type wide = {VK_MAP, DT_I64, -1, NULL, &seq};
  wrong_type(&s, &maps, "does not hold");
  wrong_type(&s, &deep, "does not hold");
  wrong_type(&s, &wide, "more than one element");
  const int64_t numbers[3] = {-1, 2, 7};
  const Str texts[3] = {{"", 0}, {"a", 1}, {"a\0b", 3}};
  Tensor k = {.dtype = DT_I64, .rank = 1, .dim = {3}, .n = 3, .data = numbers};
  Tensor w = {.dtype = DT_STR, .rank = 1, .dim = {3}, .n = 3, .data = texts};
  const Tensor *pair[2] = {&k, &a}, *named[2] = {&w, &a};
  Tensor x = {.kind = VK_MAP, .n = 2, .item = pair, .name = "m"};
  Tensor y = {.kind = VK_MAP, .n = 2, .item = named};
  const Tensor *both[2] = {&x, &x};
  Tensor z = {.kind = VK_SEQ, .n = 2, .item = both};
  round_trip(&x, &map);
  round_trip(&y, &words);
  round_trip(&z, &maps);
  cut_short(&x, &map);
  cut_short(&z, &maps);
  wrong_type(&x, &words, "does not hold");
  hostile_maps();
  sparse_tensors();
  CHECK(!export_value_file("/nonexistent/x", &s));
  remove(path);
  return test_end();
}
