/* SPDX-License-Identifier: Apache-2.0 */
/* 3x3 convolutions of stride 1 by winograd_f32.h, where its fewer products
 * outweigh its transforms and its larger weights: those are transformed here,
 * in double, rounded once, and take 16 or 36 numbers for 9.
 *
 * Where only the run tells how large an image is, the choice is made for one of
 * ASSUMED pixels a side at the model's input. The kernel finds the zeros around
 * the image itself, so there is no copy with a border; where the buffer has
 * one, it reads it.
 */
#include "cpu.h"

#include <string.h>

/* What the kernel takes: see its contract. */
#define STEP(n) (((n) + 15) / 16 * 16 + ((n) > 128 ? 16 : 0))

#define ASSUMED 320

typedef struct { int64_t oh, ow; } Sizes; /* for the choice */

static bool assume(const Conv *v, const Dim *d, int64_t *size)
{
  DimPool *p = v->d;
  int64_t *sym = NEW(v->p->a, int64_t, p->nsym + 1);
  for (int i = 0; i < p->nsym; i++)
    sym[i] = p->sym[i].max && p->sym[i].max < ASSUMED ? p->sym[i].max : ASSUMED;
  if (dim_has_capacity(p, d))
    return false;
  *size = dim_eval(p, d, sym);
  return *size > 0;
}

static int64_t tiles_of(const Sizes *z, int64_t m)
{
  return (z->oh + m - 1) / m * ((z->ow + m - 1) / m);
}

static const Dim *tiles_in(const Conv *v, int64_t m)
{
  const Dim *side = dim_int(v->d, m);
  return dim_mul(v->d, dim_ceil_div(v->d, v->oh, side),
                 dim_ceil_div(v->d, v->ow, side));
}

/* Costs in multiply-adds for each pair of an input and an output channel.
 * Measured on one core of Zen 4: a weight that is read from memory costs as
 * much as 14 products with it, 3 where all of a network's weights stay in the
 * second-level cache; transforms cost 600 products a tile and channel of m = 4,
 * 260 of m = 2. Less than 15 % is no reason for more weights. Where flash is
 * scarcer than time, --tune FILE with the way "direct" keeps the small ones. */
#define READ_FAR 14
#define READ_NEAR 3
#define NEAR_BYTES (512 << 10)
#define GAIN 1.15

/* Products that reading a weight is worth. */
static double read_cost(const Plan *p)
{
  int64_t bytes = 0;
  for (const Node *n = p->g->first; n; n = n->next)
    for (int i = 0; i < n->nin; i++)
      if (n->in[i] && n->in[i]->data)
        bytes += n->in[i]->data->n * dtype_info(n->in[i]->dtype)->size;
  return bytes > NEAR_BYTES ? READ_FAR : READ_NEAR;
}

static double direct_cost(const Sizes *z, double read)
{
  return 9.0 * ((double)(z->oh * z->ow) + read);
}

static double cost(const Conv *v, const Sizes *z, int64_t m, double read)
{
  double tiles = (double)tiles_of(z, m), one = m == 4 ? 300 : 130;
  double oc = (double)((v->oc + 15) / 16 * 16);
  return GAIN * ((double)((m + 2) * (m + 2)) * (tiles + read) +
                 tiles * one * (1 / oc + 1 / (double)v->c));
}

static bool fits(const Conv *v)
{
  return v->kh == 3 && v->kw == 3 && v->sh == 1 && v->sw == 1 && v->dh == 1 &&
         v->dw == 1 && v->g.group == 1 && v->c >= 16;
}

/* 2, 4, or 0: not by this kernel. */
static int64_t choose(Plan *p, const Conv *v, const Sizes *z)
{
  const Options *o = p->m->opt;
  double pairs = (double)(v->c * v->oc), read = read_cost(p);
  const Way way[] = {
    { "direct", cost_ns(o, "CONV_F32", direct_cost(z, read) * pairs, 0) },
    { "F(2x2)", cost_ns(o, "CONV_F32", cost(v, z, 2, read) * pairs, 0) },
    { "F(4x4)", cost_ns(o, "CONV_F32", cost(v, z, 4, read) * pairs, 0) }
  };
  const char *key = arena_printf(p->a, "Conv f32 3x3, %lld channels to %lld of "
                                 "%s x %s", (long long)v->c, (long long)v->oc,
                                 dim_text(v->d, v->oh), dim_text(v->d, v->ow));
  return 2 * plan_choose(p, v->n, key, way, COUNT(way));
}

/* A row of G g G^T of 16 filters, to positions `step` apart. */
static void transform(float g[9][16], int64_t m, int64_t i, float *to,
                      int64_t step)
{
  const double s = 1.41421356237309504880 / 3;
  const double two[4][3] = { { 1, 0, 0 }, { .5, .5, .5 }, { .5, -.5, .5 },
                             { 0, 0, 1 } };
  const double four[6][3] = { { 1, 0, 0 },
                              { -2. / 3, -s, -1. / 3 },
                              { -2. / 3, s, -1. / 3 },
                              { 1. / 6, s / 2, 1. / 3 },
                              { 1. / 6, -s / 2, 1. / 3 },
                              { 0, 0, 1 } };
  const double (*row)[3] = m == 2 ? two : four;
  double line[3][16];
  for (int b = 0; b < 3; b++)
    for (int l = 0; l < 16; l++)
      line[b][l] = row[i][0] * (double)g[b][l] +
                   row[i][1] * (double)g[3 + b][l] +
                   row[i][2] * (double)g[6 + b][l];
  for (int64_t j = 0; j < m + 2; j++)
    for (int l = 0; l < 16; l++)
      to[j * step + l] = (float)(line[0][l] * row[j][0] +
                                 line[1][l] * row[j][1] +
                                 line[2][l] * row[j][2]);
}

enum { OC, C, M }; /* of Packing.arg */

/* A row of positions: [m+2][ceil(oc/16)][c][16], zero where there is no
 * filter. */
static void make_row(const Packing *p, int64_t part, void *to)
{
  int64_t oc = p->arg[OC], c = p->arg[C], step = (oc + 15) / 16 * c * 16;
  const char *from = p->from->data;
  float g[9][16];
  for (int64_t o = 0; o < oc; o += 16)
    for (int64_t k = 0; k < c; k++) {
      for (int64_t j = 0; j < 16; j++) {
        float one[9] = { 0 };
        if (o + j < oc)
          memcpy(one, from + ((o + j) * c + k) * (int64_t)sizeof one,
                 sizeof one);
        for (int i = 0; i < 9; i++)
          g[i][j] = one[i];
      }
      transform(g, p->arg[M], part, (float *)to + (o * c + k * 16), step);
    }
}

/* [(m+2)^2][ceil(oc/16)][c][16]. */
static Value *pack(const Conv *v, const Tensor *w, int64_t m)
{
  int64_t step = (v->oc + 15) / 16 * v->c * 16;
  Packing p = { .make = make_row, .from = w, .parts = m + 2,
                .arg = { v->oc, v->c, m } };
  return value_packed(v->n, "w_winograd", DT_F32, (m + 2) * (m + 2) * step, p);
}

static bool has_large_weights(const Conv *v, int64_t m)
{
  return (m + 2) * (m + 2) * v->c * v->oc > 1024 * 1024;
}

/* Few tiles stay in the second-level cache with what becomes of them; large
 * weights are read once for many. One vector of filters takes 8 rows at a
 * time. */
static int64_t tiles_together(const Conv *v, int64_t m)
{
  int64_t n = has_large_weights(v, m) ? 28 : v->oc <= 16 ? 8 : 14, all;
  n *= m == 2 ? 2 : 1;
  return dim_is_int(tiles_in(v, m), &all) && all < n ? all : n;
}

static const Dim *padded(const Conv *v, const Dim *size, const Dim *before,
                         const Dim *after)
{
  return dim_add(v->d, size, dim_add(v->d, before, after));
}

bool lower_winograd_f32(Plan *p, Node *n)
{
  Conv v;
  Sizes z;
  if (!node_is_internal(n, "FusedConv") || !conv_shape(p, n, &v) ||
      !assume(&v, v.oh, &z.oh) || !assume(&v, v.ow, &z.ow) ||
      !fits(&v))
    return false;
  int64_t m = choose(p, &v, &z);
  if (!m)
    return false;
  Step *s = v.s = step_new(p, n, "WINOGRAD_F32");
  int64_t tiles = tiles_together(&v, m);
  v.pad = false;
  conv_put_operands(&v, pack(&v, n->in[1]->data, m));
  step_scratch(s, "scratch", DT_F32,
               dim_int(v.d, (m + 2) * (m + 2) *
                       (tiles * (STEP(v.c) + STEP(v.oc)) + 32 + v.c)));
  step_int(s, "M", m);
  step_int(s, "TILES", tiles);
  step_int(s, "OC", v.oc);
  const Dim *zero = dim_int(v.d, 0);
  step_i32(s, "ROWS", v.hx ? padded(&v, v.h, v.top, v.bottom) : v.h);
  step_i32(s, "PIXELS", v.hx ? padded(&v, v.w, v.left, v.right) : v.w);
  step_i32(s, "ABOVE", v.hx ? zero : v.top);
  step_i32(s, "BEFORE", v.hx ? zero : v.left);
  s->kernel_note = m == 2 ? "winograd_f32, F(2x2, 3x3)"
                          : "winograd_f32, F(4x4, 3x3)";
  step_kernel(s, "winograd_f32.h");
  if (dim_is(v.g.batch, 1))
    step_split(s, tiles_in(&v, m), 1,
               dim_int(v.d, (m + 2) * (m + 2) * v.c * v.oc * TICKS_MAC));
  s->good = has_large_weights(&v, m) ? tiles / 4 * 3 : 0;
  step_text(s, "PART", "%s", s->split ? "_tiles" : "");
  step_text(s, "RANGE", "%s",
            s->split ? ", (int32_t)from, (int32_t)to" : "");
  return true;
}
