/* SPDX-License-Identifier: Apache-2.0 */
/* verify --rows: row i of the result has the same bits at any batch size.
 *
 * Eight rows are made from the first data set; the program runs them as one
 * batch of 8, the first three as a batch of 3, and each alone; and a batch of
 * none has outputs without rows (not asked of texts: StringNormalizer makes an
 * empty string of none). It applies to models whose inputs all have the batch
 * as leading dimension. With --make-batch, seven rows, batches of 7 and 2, and
 * the batch is where the pass put it. */
#include "host.h"
#include "make_batch.h"
#include <string.h>

#define MOST_ROWS 8
#define MOST_SIZES (2 + MOST_ROWS + 1) /* 8, 3, eight times 1, 0 */

/* How many rows batch k of the check has; -1: there is no such batch. */
static int batch_of(const Case *c, int k)
{
  int rows = c->ports.in_rows ? 7 : 8;
  if (k < 2) return k ? rows / 3 : rows;
  return k < 2 + rows ? 1 : k == 2 + rows ? 0 : -1;
}

/* The first row of batch k. */
static int first(const Case *c, int k)
{
  return batch_of(c, k) == 1 ? k - 2 : 0;
}

/* A tensor of n rows as `before` groups, of one piece of each row. */
typedef struct { int64_t before, piece; } Split;

static Split split(const Tensor *t, BatchPort at, int64_t n)
{
  Split s = {1, 1};
  int64_t inner = at.inner ? at.inner : n ? t->dim[at.axis] / n : 1;
  for (int k = 0; k < at.axis; k++) s.before *= t->dim[k];
  for (int k = at.axis + 1; k < t->rank; k++) s.piece *= t->dim[k];
  if (n) s.before *= t->dim[at.axis] / n / inner;
  s.piece *= inner;
  return s;
}

static BatchPort port(const BatchPort *p, int i)
{
  return p ? p[i] : (BatchPort){0, 0};
}

/* Row r of t, of n rows, to row `at` of `to`, of `rows`; turned round by `turn`
 * elements within its pieces. */
static void copy_row(const Tensor *t, BatchPort p, int64_t n, int64_t r,
                     char *to, int64_t rows, int64_t at, int64_t turn)
{
  Split s = split(t, p, n);
  size_t size = (size_t)dtype_info(t->dtype)->size;
  size_t piece = (size_t)s.piece * size, tail = (size_t)turn * size;
  for (int64_t b = 0; b < s.before; b++) {
    const char *from = (const char *)t->data + (size_t)(b * n + r) * piece;
    char *y = to + (size_t)(b * rows + at) * piece;
    memcpy(y, from + tail, piece - tail);
    memcpy(y + piece - tail, from, tail);
  }
}

static Tensor *rows_of(Arena *a, const Tensor *t, BatchPort p, int64_t had,
                       int64_t n, char **data)
{
  int64_t dim[MAX_RANK];
  memcpy(dim, t->dim, sizeof dim);
  dim[p.axis] = dim[p.axis] / had * n;
  Tensor *out = tensor_new(a, t->dtype, t->rank, dim);
  *data = arena_alloc(a, (size_t)(out->n * dtype_info(t->dtype)->size) + 1);
  out->data = *data;
  return out;
}

/* Row r of the new data is row r mod n of the old, turned round by 17 elements
 * for each time it was used: the rows differ, and their values stay valid.
 * Words stay in their column, where a model knows them. */
static const Tensor *make_rows(Arena *a, const Tensor *t, BatchPort p,
                               int64_t n)
{
  if (p.axis < 0) return t;
  int64_t had = t->dim[p.axis], piece = split(t, p, had).piece;
  char *data;
  Tensor *out = rows_of(a, t, p, had, n, &data);
  for (int64_t r = 0; r < n; r++) {
    int64_t turn = t->dtype == DT_STR || !piece ? 0 : r / had * 17 % piece;
    copy_row(t, p, had, r % had, data, n, r, turn);
  }
  return out;
}

static const Tensor *take_rows(Arena *a, const Tensor *t, BatchPort p,
                               int64_t at, int64_t n)
{
  if (p.axis < 0) return t;
  int64_t had = t->dim[p.axis];
  char *data;
  Tensor *out = rows_of(a, t, p, had, n, &data);
  for (int64_t r = 0; r < n; r++) copy_row(t, p, had, at + r, data, n, r, 0);
  return out;
}

static const char *refuse(const Case *c)
{
  const Dim *batch = NULL;
  int64_t v;
  for (int i = 0; i < c->ports.nin; i++) {
    const Value *p = c->ports.in[i];
    const Tensor *t = c->set[0].in[i];
    BatchPort at = port(c->ports.in_rows, i);
    if (at.axis < 0) continue;
    if (!t || t->rank <= at.axis || t->dim[at.axis] < 1)
      return "an input has no data";
    if (c->ports.in_rows) continue;
    if (p->rank < 1 || dim_is_int(p->dim[0], &v))
      return "an input has no symbolic leading dimension";
    if (!batch) batch = p->dim[0];
    if (batch != p->dim[0]) return "the inputs have different batches";
  }
  return batch || c->ports.in_rows ? NULL : "the model has no input";
}

Job *rows_jobs(Arena *a, const Case *c, int unit, int *n, const char **why)
{
  *n = 0;
  *why = c->nset ? refuse(c) : "there is no data";
  if (*why) return NULL;
  int nin = c->ports.nin;
  Job *job = NEW(a, Job, MOST_SIZES);
  for (; batch_of(c, *n) >= 0; ++*n) {
    const Tensor **in = NEW(a, const Tensor *, nin);
    for (int i = 0; i < nin; i++) {
      BatchPort p = port(c->ports.in_rows, i);
      if (!*n) in[i] = make_rows(a, c->set[0].in[i], p, batch_of(c, 0));
      else
        in[i] = take_rows(a, job[0].in[i], p, first(c, *n), batch_of(c, *n));
    }
    job[*n] = (Job){unit, 0, in, nin, false};
  }
  for (int i = 0; i < nin; i++)
    if (job[0].in[i]->dtype == DT_STR) {
      --*n;
      break;
    }
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

static bool has_rows(const Tensor *t, BatchPort p, int64_t n)
{
  if (!t || t->kind == VK_SEQ) return t && t->n == n;
  return t->kind == VK_TENSOR && t->rank > p.axis &&
         (n ? t->dim[p.axis] > 0 && t->dim[p.axis] % n == 0
            : t->dim[p.axis] == 0);
}

/* Row r of x, of n, against row q of y, of m. */
static bool same_row(const Tensor *x, BatchPort p, int64_t n, int64_t r,
                     const Tensor *y, int64_t m, int64_t q)
{
  if (y->kind == VK_SEQ) return same_value(x->item[r], y->item[q]);
  Split s = split(x, p, n), t = split(y, p, m);
  bool same = s.before == t.before && s.piece == t.piece;
  for (int64_t b = 0; same && b < s.before; b++) {
    Tensor rest = *y;
    rest.data = (const char *)y->data + (b * m + q) * s.piece *
                dtype_info(y->dtype)->size;
    same = same_elements(x, (b * n + r) * s.piece, &rest, s.piece);
  }
  return same;
}

static const char *check_part(Arena *a, const Case *c, const Result *all,
                              const Result *part, int64_t at, int64_t n)
{
  int rows = batch_of(c, 0);
  for (int o = 0; o < all->nout; o++) {
    const Tensor *x = all->out[o], *y = part->out[o];
    BatchPort p = port(c->ports.out_rows, o);
    if (p.axis < 0) continue;
    if (!has_rows(x, p, rows) || !has_rows(y, p, n) || x->kind != y->kind)
      return arena_printf(a, "output %d has no row for each sample", o);
    for (int64_t i = 0; i < n; i++)
      if (!same_row(x, p, rows, at + i, y, n, i))
        return arena_printf(a, "output %d, row %lld: other bits at batch %d "
                            "and %lld", o, (long long)(at + i), rows,
                            (long long)n);
  }
  return NULL;
}

const char *rows_check(Arena *a, const Case *c, const Result *r, int n)
{
  for (int k = 0; k < n; k++)
    if (r[k].kind != JR_DONE)
      return arena_printf(a, "at batch %d: %s", batch_of(c, k),
                          result_text(a, &r[k]));
  const char *why = NULL;
  for (int k = 1; !why && k < n; k++)
    why = check_part(a, c, &r[0], &r[k], first(c, k), batch_of(c, k));
  return why;
}

const char *rows_sizes(const Case *c)
{
  return c->ports.in_rows ? "1, 2 and 7" : "1, 3 and 8";
}
