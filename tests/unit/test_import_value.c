/* SPDX-License-Identifier: Apache-2.0 */
/* Test data of sequences and optional values: written, read again, refused. */
#include <stdlib.h>
#include <unistd.h>
#include "ir.h"
#include "o2ctest.h"

static const Type tensor = {VK_TENSOR, DT_F32, -1, NULL, NULL};
static const Type seq = {VK_SEQ, DT_NONE, -1, NULL, &tensor};
static const Type opt = {VK_OPTIONAL, DT_NONE, -1, NULL, &seq};
static char path[] = "/tmp/o2c_value_XXXXXX";

static bool same(const Tensor *a, const Tensor *b)
{
  if (!a || !b || a->kind != b->kind || a->n != b->n) return false;
  if (a->kind == VK_TENSOR)
    return a->dtype == b->dtype && a->rank == b->rank &&
           (!a->n || !memcmp(a->data, b->data, (size_t)a->n * 4));
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
  const Type map = {VK_MAP, DT_I64, -1, NULL, &tensor};
  const Type maps = {VK_SEQ, DT_NONE, -1, NULL, &map};
  const Type deep = {VK_SEQ, DT_NONE, -1, NULL, &seq};
  wrong_type(&s, &maps, "of maps");
  wrong_type(&s, &deep, "does not hold");
  CHECK(!export_value_file("/nonexistent/x", &s));
  remove(path);
  return test_end();
}
