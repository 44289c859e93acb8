/* SPDX-License-Identifier: Apache-2.0 */
/* verify --rows: row i of the result has the same bits at any batch size.
 *
 * Eight rows are made from the first data set; the program runs them as one
 * batch of 8, the first three as a batch of 3, and each alone; and a batch of
 * none has outputs without rows (not asked of texts: StringNormalizer makes an
 * empty string of none). It applies to models whose inputs all have the batch
 * as leading dimension. */
#include "host.h"
#include <string.h>

#define ROWS 8
#define SIZES (2 + ROWS + 1) /* 8, 3, eight times 1, 0 */

static const int batches[SIZES] = {ROWS, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0};

/* Row r of the new data is row r mod n of the old, turned round by 17 elements
 * for each time it was used: the rows differ, and their values stay valid.
 * Words stay in their column, where a model knows them. */
static void make_row(const Tensor *t, int64_t r, char *to)
{
  int64_t n = t->dim[0], per = t->n / n, turn = r / n * 17 % (per ? per : 1);
  if (t->dtype == DT_STR) turn = 0;
  size_t size = (size_t)dtype_info(t->dtype)->size;
  const char *from = (const char *)t->data + (size_t)(r % n * per) * size;
  size_t head = (size_t)(per - turn) * size, tail = (size_t)turn * size;
  memcpy(to, from + tail, head);
  memcpy(to + head, from, tail);
}

static const Tensor *make_rows(Arena *a, const Tensor *t, int64_t n)
{
  int64_t dim[MAX_RANK];
  memcpy(dim, t->dim, sizeof dim);
  dim[0] = n;
  Tensor *out = tensor_new(a, t->dtype, t->rank, dim);
  size_t bytes = (size_t)(out->n / n * dtype_info(t->dtype)->size);
  char *p = arena_alloc(a, bytes * (size_t)n + 1);
  for (int64_t r = 0; r < n; r++) make_row(t, r, p + (size_t)r * bytes);
  out->data = p;
  return out;
}

/* The first row of batch k. */
static int64_t first(int k)
{
  return batches[k] == 1 ? k - 2 : 0;
}

static const Tensor *take_rows(Arena *a, const Tensor *t, int64_t at,
                               int64_t n)
{
  Tensor *out = NEW(a, Tensor, 1);
  *out = *t;
  int64_t per = t->n / t->dim[0];
  out->dim[0] = n;
  out->n = per * n;
  out->data = (const char *)t->data + at * per * dtype_info(t->dtype)->size;
  return out;
}

static const char *refuse(const Case *c)
{
  const Dim *batch = NULL;
  int64_t v;
  for (int i = 0; i < c->ports.nin; i++) {
    const Value *p = c->ports.in[i];
    const Tensor *t = c->set[0].in[i];
    if (p->rank < 1 || dim_is_int(p->dim[0], &v))
      return "an input has no symbolic leading dimension";
    if (!batch) batch = p->dim[0];
    if (batch != p->dim[0]) return "the inputs have different batches";
    if (!t || t->rank < 1 || t->dim[0] < 1) return "an input has no data";
  }
  return batch ? NULL : "the model has no input";
}

Job *rows_jobs(Arena *a, const Case *c, int unit, int *n, const char **why)
{
  *n = 0;
  *why = c->nset ? refuse(c) : "there is no data";
  if (*why) return NULL;
  int nin = c->ports.nin;
  Job *job = NEW(a, Job, SIZES);
  for (int k = 0; k < SIZES; k++) {
    const Tensor **in = NEW(a, const Tensor *, nin);
    for (int i = 0; i < nin; i++) {
      if (!k) in[i] = make_rows(a, c->set[0].in[i], ROWS);
      else in[i] = take_rows(a, job[0].in[i], first(k), batches[k]);
    }
    job[k] = (Job){unit, 0, in, nin, false};
  }
  *n = SIZES;
  for (int i = 0; i < nin; i++)
    if (job[0].in[i]->dtype == DT_STR) *n = SIZES - 1;
  return job;
}

/* n elements of x from `at` on, and those of y. */
static bool same_elements(const Tensor *x, int64_t at, const Tensor *y,
                          int64_t n)
{
  size_t size = (size_t)dtype_info(x->dtype)->size;
  if (x->dtype != DT_STR)
    return !n || !memcmp((const char *)x->data + (size_t)at * size, y->data,
                         (size_t)n * size);
  const Str *s = (const Str *)x->data + at, *t = y->data;
  for (int64_t i = 0; i < n; i++)
    if (s[i].n != t[i].n || memcmp(s[i].p, t[i].p, s[i].n)) return false;
  return true;
}

/* Of a sequence: row k is item k. */
static bool same_value(const Tensor *x, const Tensor *y)
{
  if (x->kind != y->kind || x->n != y->n) return false;
  if (x->kind == VK_TENSOR) return same_elements(x, 0, y, x->n);
  for (int64_t i = 0; i < x->n; i++)
    if (!same_value(x->item[i], y->item[i])) return false;
  return true;
}

static bool has_rows(const Tensor *t, int64_t n)
{
  return t && (t->kind == VK_SEQ ? t->n == n
               : t->kind == VK_TENSOR && t->rank > 0 && t->dim[0] == n);
}

static const char *check_part(Arena *a, const Result *all, const Result *part,
                              int64_t at, int64_t n)
{
  for (int o = 0; o < all->nout; o++) {
    const Tensor *x = all->out[o], *y = part->out[o];
    if (!has_rows(x, ROWS) || !has_rows(y, n) || x->kind != y->kind)
      return arena_printf(a, "output %d has no row for each sample", o);
    int64_t row = x->n / ROWS;
    for (int64_t i = 0; i < n; i++) {
      Tensor rest = *y;
      if (y->kind == VK_TENSOR)
        rest.data = (const char *)y->data +
                    i * row * dtype_info(y->dtype)->size;
      if (y->kind == VK_SEQ ? same_value(x->item[at + i], y->item[i])
                            : same_elements(x, (at + i) * row, &rest, row))
        continue;
      return arena_printf(a, "output %d, row %lld: other bits at batch %d "
                          "and %lld", o, (long long)(at + i), ROWS,
                          (long long)n);
    }
  }
  return NULL;
}

const char *rows_check(Arena *a, const Result *r, int n)
{
  for (int k = 0; k < n; k++)
    if (r[k].kind != JR_DONE)
      return arena_printf(a, "at batch %d: %s", batches[k],
                          result_text(a, &r[k]));
  const char *why = NULL;
  for (int k = 1; !why && k < n; k++)
    why = check_part(a, &r[0], &r[k], first(k), batches[k]);
  return why;
}
