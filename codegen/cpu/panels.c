/* SPDX-License-Identifier: Apache-2.0 */
/* f32 weights of convolutions and products as panels of 16 columns, made panel
 * by panel as they are written. What they are made of lies in the model's file,
 * at any address: it is copied, not loaded.
 */
#include "cpu.h"

#include <string.h>

enum { ROWS, K, AREA, PANELS }; /* of Packing.arg */

/* A panel of [AREA][K / AREA][16] from rows of [K / AREA][AREA], zero where
 * there is no row; ROWS and PANELS are those of a group. Rows are read a cache
 * line at a time: sixteen of a power of two apart would push each other out of
 * the first-level cache. */
static void make_from_rows(const Packing *p, int64_t part, void *to)
{
  int64_t k = p->arg[K], area = p->arg[AREA], across = k / area;
  int64_t group = part / p->arg[PANELS], first = part % p->arg[PANELS] * 16;
  int64_t rows = p->arg[ROWS] - first < 16 ? p->arg[ROWS] - first : 16;
  const char *from = p->from->data;
  float tile[16][16] = { { 0 } }, *panel = to;
  from += (group * p->arg[ROWS] + first) * k * (int64_t)sizeof *panel;
  for (int64_t i = 0; i < k; i += 16) {
    int64_t n = k - i < 16 ? k - i : 16;
    for (int64_t j = 0; j < rows; j++)
      memcpy(tile[j], from + (j * k + i) * (int64_t)sizeof *panel,
             (size_t)n * sizeof *panel);
    for (int64_t e = 0; e < n; e++) {
      float *row = panel + ((i + e) % area * across + (i + e) / area) * 16;
      for (int j = 0; j < 16; j++)
        row[j] = tile[j][e];
    }
  }
}

/* A panel of [K][16] from columns of [K][ROWS]. */
static void make_from_columns(const Packing *p, int64_t part, void *to)
{
  int64_t columns = p->arg[ROWS] - part * 16;
  int64_t n = columns < 16 ? columns : 16;
  const char *from = p->from->data;
  float *panel = to;
  for (int64_t i = 0; i < p->arg[K]; i++, panel += 16) {
    int64_t at = i * p->arg[ROWS] + part * 16;
    memcpy(panel, from + at * (int64_t)sizeof *panel,
           (size_t)n * sizeof *panel);
    for (int64_t j = n; j < 16; j++)
      panel[j] = 0;
  }
}

Value *value_packed(Node *n, const char *hint, Dtype type, int64_t size,
                    Packing k)
{
  Arena *a = &n->g->m->arena;
  Tensor *t = NEW(a, Tensor, 1);
  Packing *packing = NEW(a, Packing, 1);
  *packing = k;
  t->dtype = type;
  t->rank = 1;
  t->dim[0] = t->n = size;
  t->packing = packing;
  return value_const(n->g, hint, t);
}

Value *panels_of_filters(Node *n, const Tensor *w, int64_t groups,
                         int64_t area)
{
  int64_t rows = w->dim[0] / groups, k = w->n / w->dim[0];
  int64_t panels = (rows + 15) / 16;
  Packing p = { .make = make_from_rows, .from = w, .parts = groups * panels,
                .arg = { rows, k, area, panels } };
  return value_packed(n, "w_panels", DT_F32, p.parts * k * 16, p);
}

Value *gemm_pack_panels(Node *n)
{
  const Tensor *w = n->in[1]->data;
  int64_t k, columns;
  if (gemm_is_turned(n, &k, &columns))
    return panels_of_filters(n, w, 1, 1);
  Packing p = { .make = make_from_columns, .from = w,
                .parts = (columns + 15) / 16, .arg = { columns, k } };
  return value_packed(n, "w_panels", DT_F32, p.parts * k * 16, p);
}

bool gemm_is_turned(const Node *n, int64_t *k, int64_t *columns)
{
  const Tensor *w = n->in[1]->data;
  bool turned = attr_int(n, "transB", 0) != 0;
  *k = w->dim[turned ? 1 : 0];
  *columns = w->dim[turned ? 0 : 1];
  return turned;
}
