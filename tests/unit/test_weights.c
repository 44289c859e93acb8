/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as text, decoded again as a C compiler would; the blob, and the
 * object file around it. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>
#include "target.h"
#include "o2ctest.h"

static Options opt;
static Model *m;
static Plan *p;

static void begin(const char *mode)
{
  options_default(&opt);
  opt.name = "net";
  opt.weights = mode;
  m = model_new(&opt, "net.onnx");
  memset(m->sha256, 'a', 64);
  p = NEW(&m->arena, Plan, 1);
  p->m = m;
  p->a = &m->arena;
  p->g = m->main;
  p->name = "net";
}

static int add(Dtype t, int64_t n, const void *data)
{
  Tensor *x = tensor_new(&m->arena, t, 1, &n);
  if (n)
    memcpy((void *)(uintptr_t)x->data, data,
           (size_t)n * (size_t)dtype_info(t)->size);
  return weights_add(p, value_const(m->main, "w", x));
}

static const char *text(WeightMode mode)
{
  StrBuf b;
  sb_init(&b, p->a);
  weights_text(p, mode, &b);
  const char *s = arena_strn(p->a, b.s ? b.s : "", b.n);
  sb_free(&b);
  return s;
}

static void test_numbers(void)
{
  const float f[] = {1.5f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f};
  const int64_t i[] = {INT64_MIN, INT64_MAX, -1};
  const uint64_t u[] = {UINT64_MAX};
  const int32_t k[] = {INT32_MIN, 7};
  const uint16_t h[] = {0x3c00};
  const double d[] = {0.1};
  begin("array");
  add(DT_F32, COUNT(f), f);
  add(DT_I64, COUNT(i), i);
  add(DT_U64, COUNT(u), u);
  add(DT_I32, COUNT(k), k);
  add(DT_BF16, COUNT(h), h);
  add(DT_F64, COUNT(d), d);
  add(DT_F32, 0, NULL);
  const char *s = text(WM_ARRAY);
  CHECK(strstr(s, "1.5f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f") != NULL);
  CHECK(strstr(s, "INT64_MIN, INT64_C(9223372036854775807), INT64_C(-1)"));
  CHECK(strstr(s, "UINT64_C(18446744073709551615)") != NULL);
  CHECK(strstr(s, "INT32_MIN, 7") != NULL);
  CHECK(strstr(s, "0x3c00") && strstr(s, "\n  0.1\n"));
  CHECK(strstr(s, "float w6[1] WEIGHT_PLACE = { 0 };") != NULL);
  CHECK_STR(weights_expr(p, WM_ARRAY, 3), "w3");
  model_free(m);
}

/* The bytes of all string literals of `s`, as C reads them. */
static size_t decode(const char *s, unsigned char *out)
{
  size_t n = 0;
  while ((s = strchr(s, '"'))) {
    for (s++; *s != '"';) {
      CHECK(strncmp(s, "??", 2) != 0); /* a trigraph */
      if (*s != '\\') {
        out[n++] = (unsigned char)*s++;
        continue;
      }
      int v = 0;
      s++;
      for (int k = 0; k < 3 && *s >= '0' && *s <= '7'; k++)
        v = v * 8 + *s++ - '0';
      out[n++] = (unsigned char)v;
    }
    s++;
  }
  return n;
}

static void test_literals(void)
{
  unsigned char data[4096], got[8192];
  for (int i = 0; i < COUNT(data); i++)
    data[i] = (unsigned char)(i < 256 ? i : i < 768 ? (i & 1 ? '0' + i % 10
                              : i / 2) : i < 800 ? '?' : i * 7919 >> 5);
  begin("string");
  int k = add(DT_U8, COUNT(data), data);
  add(DT_U8, 0, NULL);
  const char *s = strstr(text(WM_STRING), "w0 WEIGHT_PLACE");
  if (CHECK(s != NULL)) {
    s = arena_strn(p->a, s, (size_t)(strstr(s, "};") - s));
    CHECK_INT(decode(s, got), COUNT(data));
    CHECK(!memcmp(got, data, sizeof data));
  }
  CHECK_STR(weights_expr(p, WM_STRING, k), "w0.v");
  model_free(m);
}

/* Tensors of strings are arrays in every mode, and not in the blob. */
static void test_strings(void)
{
  const Str word[] = {{"a\"?\?/", 5}, {"", 0}, {"\0" "1", 2}};
  begin("object");
  add(DT_STR, COUNT(word), word);
  const char *s = text(WM_OBJECT);
  CHECK(strstr(s, "\"a\\42\\77\\77/\", 5 }") != NULL);
  CHECK(strstr(s, "\"\", 0 }") && strstr(s, "\"\\0001\", 2 }"));
  CHECK_INT(p->weight_bytes, 0);
  CHECK_STR(weights_expr(p, WM_OBJECT, 0), "w0");
  model_free(m);
}

static void test_equal(void)
{
  const float f[] = {1, 2}, other[] = {1, 3};
  begin("array");
  CHECK_INT(add(DT_F32, 2, f), 0);
  CHECK_INT(add(DT_F32, 2, other), 1);
  CHECK_INT(add(DT_F32, 2, f), 0);
  CHECK_INT(add(DT_I32, 2, f), 2); /* another type is another array */
  CHECK_INT(add(DT_F32, 1, f), 3);
  CHECK_INT(p->weight_bytes, 4 * 64);
  model_free(m);
}

static void make_counts(const Packing *k, int64_t part, void *to)
{
  const uint8_t *from = k->from->data;
  uint8_t *out = to;
  for (int i = 0; i < k->arg[0]; i++)
    out[i] = (uint8_t)(from[part] + i);
}

/* Parts of `size` bytes that start with those of `from` and count up. */
static int add_packed(const uint8_t *from, int64_t parts, int64_t size)
{
  Tensor *source = tensor_new(&m->arena, DT_U8, 1, &parts);
  memcpy((void *)(uintptr_t)source->data, from, (size_t)parts);
  Packing *k = NEW(&m->arena, Packing, 1);
  *k = (Packing){.make = make_counts, .from = source, .parts = parts,
                 .arg = {size}};
  Tensor *x = NEW(&m->arena, Tensor, 1);
  x->dtype = DT_U8;
  x->rank = 1;
  x->dim[0] = x->n = parts * size;
  x->packing = k;
  return weights_add(p, value_const(m->main, "w", x));
}

static void test_auto(void)
{
  begin("auto");
  CHECK_INT(weights_mode(p), WM_ARRAY);
  p->weight_bytes = 65 * 1024;
  CHECK_INT(weights_mode(p), WM_STRING);
  p->weight_bytes = (int64_t)17 << 20;
  CHECK_INT(weights_mode(p), WM_OBJECT);
  model_free(m);
}

static size_t side_file(WeightMode mode, unsigned char *to, size_t cap)
{
  char path[] = "/tmp/o2c_weights_XXXXXX";
  int fd = mkstemp(path);
  CHECK(fd >= 0 && weights_write(p, mode, path));
  FILE *f = fopen(path, "rb");
  size_t n = f ? fread(to, 1, cap, f) : 0;
  if (f) fclose(f);
  close(fd);
  unlink(path);
  return n;
}

static void test_blob(void)
{
  const float f[] = {1, 2, 3};
  const int8_t i[70] = {5};
  static unsigned char a[4096], b[4096];
  begin("file");
  add(DT_F32, COUNT(f), f);
  int k = add(DT_I8, COUNT(i), i);
  CHECK_INT(side_file(WM_FILE, a, sizeof a), 64 + 64 + 128);
  CHECK_INT(p->weight_bytes + WEIGHTS_HEADER, 64 + 64 + 128);
  CHECK(!memcmp(a, "O2CW", 4));
  uint64_t hash = 0;
  for (int j = 0; j < 8; j++) hash |= (uint64_t)a[8 + j] << (8 * j);
  CHECK(hash == weights_hash(p));
  CHECK(!memcmp(a + 64, f, sizeof f) && !memcmp(a + 128, i, sizeof i));
  CHECK_STR(weights_expr(p, WM_FILE, k), "WEIGHT(int8_t, 128)");

  /* The object holds the same bytes, at 64. */
  opt.weights_for = "arm";
  size_t n = side_file(WM_OBJECT, b, sizeof b);
  CHECK(n > 320 && !memcmp(b, "\177ELF\1\1\1", 7));
  CHECK_INT(b[18], 40);
  CHECK(!memcmp(b + 64, a, 256));
  opt.weights_for = "riscv64";
  CHECK(side_file(WM_OBJECT, b, sizeof b) > 320 && b[4] == 2);
  CHECK_INT(b[18], 243);
  model_free(m);
}

/* What is made as it is written: in text and in the blob, small parts together
 * and large ones alone, and its place found by content. */
static void test_packed(void)
{
  enum { PARTS = 7, LARGE = 3 << 20 };
  const uint8_t from[PARTS] = {9, 8, 7, 60, 50, 40, 255}, other[PARTS] = {1};
  unsigned char *blob = malloc(4 * LARGE), *want = malloc(2 * LARGE);
  begin("file");
  CHECK_INT(add_packed(from, PARTS, 3), 0);
  CHECK_INT(add_packed(from, PARTS, 3), 0);
  CHECK_INT(add_packed(other, PARTS, 3), 1);
  CHECK_INT(add_packed(from, PARTS, 4), 2);
  CHECK_INT(add_packed(from, 2, LARGE), 3);
  CHECK_INT(add_packed(from, 0, 3), 4);
  const int64_t size = 3 * 64 + 2 * LARGE;
  CHECK_INT(p->weight_bytes, size);
  CHECK(strstr(text(WM_ARRAY), "9, 10, 11, 8, 9, 10, 7, 8, 9,") != NULL);
  uint64_t before = weights_hash(p), hash = 0;
  p->blob_hash = 0;
  CHECK_INT(side_file(WM_FILE, blob, 4 * LARGE), size + WEIGHTS_HEADER);
  for (int j = 0; j < 8; j++) hash |= (uint64_t)blob[8 + j] << (8 * j);
  CHECK(hash == before && hash == p->blob_hash);
  for (int i = 0; i < PARTS * 3; i++)
    CHECK_INT(blob[WEIGHTS_HEADER + i], (from[i / 3] + i % 3) & 255);
  for (int i = 0; i < 2 * LARGE; i++)
    want[i] = (unsigned char)(from[i / LARGE] + i % LARGE);
  CHECK(!memcmp(blob + WEIGHTS_HEADER + 3 * 64, want, 2 * LARGE));
  free(blob);
  free(want);
  model_free(m);
}

static void test_errors(void)
{
  begin("object");
  opt.weights_for = "z80";
  CHECK(!weights_write(p, WM_OBJECT, "/dev/null"));
  CHECK_INT(diag_worst(m), EXIT_USAGE);
  model_free(m);
  begin("file");
  CHECK(!weights_write(p, WM_FILE, "/no/such/folder/w"));
  CHECK_INT(diag_worst(m), EXIT_ENVIRONMENT);
  model_free(m);
  float f[64] = {1};
  begin("file");
  add(DT_F32, COUNT(f), f);
  CHECK(access("/dev/full", W_OK) || !weights_write(p, WM_FILE, "/dev/full"));
  model_free(m);
}

int main(void)
{
  test_numbers();
  test_literals();
  test_strings();
  test_equal();
  test_auto();
  test_blob();
  test_packed();
  test_errors();
  return test_end();
}
