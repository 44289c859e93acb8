/* SPDX-License-Identifier: Apache-2.0 */
/* Part of test_f32.c, which includes it: winograd_f32.h against the plain sum
   in double. Inputs and outputs lie in larger buffers whose gaps must not
   matter (they hold NaN) and must stay. */
#ifndef O2C_TEST_WINOGRAD_H
#define O2C_TEST_WINOGRAD_H
#include "../../runtime_min/kernels/winograd_f32.h"

typedef struct {
  o2c_winograd_f32_p p;
  size_t nx, ny;
  float *x, *g, *u, *bias, *r, *y;
} Wino;

static const double wino2[4][3] = {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5},
                                   {0, 0, 1}};
#define WINO_S (1.41421356237309504880 / 3)
static const double wino4[6][3] = {
  {1, 0, 0}, {-2. / 3, -WINO_S, -1. / 3}, {-2. / 3, WINO_S, -1. / 3},
  {1. / 6, WINO_S / 2, 1. / 3}, {1. / 6, -WINO_S / 2, 1. / 3}, {0, 0, 1}};

/* G g G^T of every filter. */
static void wino_pack(Wino *v)
{
  const o2c_winograd_f32_p *p = &v->p;
  const double (*row)[3] = p->m == 2 ? wino2 : wino4;
  const int e = p->m + 2, panels = (p->oc + 15) / 16;
  const size_t n = (size_t)(e * e * panels * p->c * 16);
  v->u = alloc_f32(n);
  memset(v->u, 0, n * sizeof(float));
  for (int o = 0; o < p->oc; o++)
    for (int k = 0; k < p->c; k++)
      for (int i = 0; i < e * e; i++) {
        double s = 0;
        for (int a = 0; a < 9; a++)
          s += row[i / e][a / 3] * row[i % e][a % 3] *
               (double)v->g[(o * p->c + k) * 9 + a];
        v->u[((i * panels + o / 16) * p->c + k) * 16 + o % 16] = (float)s;
      }
}

/* Output o of pixel i, j; *size: of the terms added. */
static double wino_ref(const Wino *v, int i, int j, int o, double *size)
{
  const o2c_winograd_f32_p *p = &v->p;
  double s = v->bias ? (double)v->bias[o] : 0.0;
  *size = fabs(s);
  for (int a = 0; a < 9; a++) {
    const int y = i - p->top + a / 3, x = j - p->left + a % 3;
    for (int k = 0; k < p->c; k++) {
      const double w = (double)v->g[(o * p->c + k) * 9 + a];
      *size += fabs(w);
      if (y >= 0 && y < p->h && x >= 0 && x < p->w)
        s += w * (double)v->x[y * p->x_row + x * p->x_pix + k];
    }
  }
  return s;
}

static void wino_make(Wino *v, int m, const int dims[4])
{
  o2c_winograd_f32_p *p = &v->p;
  memset(v, 0, sizeof *v);
  p->m = m;
  p->h = dims[0];
  p->w = dims[1];
  p->c = dims[2];
  p->oc = dims[3];
  p->top = (int)rnd(3);
  p->left = (int)rnd(3);
  p->oh = p->h + p->top + (int)rnd(3) - 2;
  p->ow = p->w + p->left + (int)rnd(3) - 2;
  if (p->oh < 1)
    p->oh += p->top = 2;
  if (p->ow < 1)
    p->ow += p->left = 2;
  p->x_pix = p->c + (rnd(2) ? (int)rnd(9) : 0);
  p->x_row = p->w * p->x_pix + (rnd(2) ? rnd(7) : 0);
  p->y_pix = p->r_pix = p->oc + (rnd(2) ? (int)rnd(20) : 0);
  p->y_row = p->r_row = p->ow * p->y_pix + (rnd(2) ? rnd(5) : 0);
  p->lo = rnd(2) ? 0.0f : -INFINITY;
  p->hi = rnd(2) ? 1.5f : INFINITY;
  v->nx = (size_t)((p->h - 1) * p->x_row + (p->w - 1) * p->x_pix + p->c);
  v->ny = (size_t)((p->oh - 1) * p->y_row + (p->ow - 1) * p->y_pix + p->oc);
  v->x = random_f32(v->nx);
  for (size_t q = 0; q < v->nx; q++) {
    const int64_t at = (int64_t)q % p->x_row;
    if (at >= p->w * p->x_pix || at % p->x_pix >= p->c)
      v->x[q] = NAN;
  }
  v->g = random_f32((size_t)(9 * p->c * p->oc));
  v->bias = rnd(4) ? random_f32((size_t)p->oc) : NULL;
  v->r = rnd(2) ? random_f32(v->ny) : NULL;
  v->y = random_f32(v->ny);
  wino_pack(v);
}

/* y with this many tiles together, in two ranges, as threads take them, if
   `cut` is not 0: `r` may be y. */
static void wino_run(const Wino *v, const float *r, float *y, int tiles,
                     int cut)
{
  o2c_winograd_f32_p p = v->p;
  const int all = (p.oh + p.m - 1) / p.m * ((p.ow + p.m - 1) / p.m);
  float *room = alloc_f32((size_t)O2C_WINOGRAD_SCRATCH(p.m, p.c, p.oc, tiles));
  p.tiles = tiles;
  if (cut) {
    o2c_winograd_f32_tiles(v->x, v->u, v->bias, r, y, room, &p, cut, all);
    o2c_winograd_f32_tiles(v->x, v->u, v->bias, r, y, room, &p, 0, cut);
  } else {
    o2c_winograd_f32(v->x, v->u, v->bias, r, y, room, &p);
  }
  free(room);
}

static void wino_check(int m, const int dims[4])
{
  Wino v;
  const o2c_winograd_f32_p *p = &v.p;
  float *was, *two;
  char name[96];
  int all, bad = 0;
  wino_make(&v, m, dims);
  all = (p->oh + m - 1) / m * ((p->ow + m - 1) / m);
  snprintf(name, sizeof name, "winograd m %d h %d w %d c %d oc %d", m, dims[0],
           dims[1], dims[2], dims[3]);
  was = copy_f32(v.y, v.ny);
  two = copy_f32(v.r ? v.r : v.y, v.ny);
  wino_run(&v, v.r, v.y, all, 0);
  for (size_t q = 0; q < v.ny; q++) {
    const int64_t i = (int64_t)q / p->y_row, at = (int64_t)q % p->y_row;
    const int64_t j = at / p->y_pix, o = at % p->y_pix;
    double size, want;
    if (j >= p->ow || o >= p->oc) {
      bad |= memcmp(v.y + q, was + q, sizeof(float)) != 0;
      continue;
    }
    want = wino_ref(&v, (int)i, (int)j, (int)o, &size);
    want += v.r ? (double)v.r[q] : 0.0;
    want = want < (double)p->lo ? (double)p->lo : want;
    want = want > (double)p->hi ? (double)p->hi : want;
    bad |= !(fabs((double)v.y[q] - want) <= (m == 2 ? 3e-7 : 6e-7) * size);
  }
  if (bad)
    fail(name, "differs");
  /* in place, in other blocks of tiles, in ranges: the same bits */
  wino_run(&v, v.r ? two : NULL, two, 1 + (int)rnd((uint32_t)all),
           (int)rnd((uint32_t)all));
  for (size_t q = 0; q < v.ny; q++)
    if ((int64_t)q % p->y_row % p->y_pix >= p->oc ||
        (int64_t)q % p->y_row >= p->ow * p->y_pix)
      two[q] = v.y[q];
  if (!same(two, v.y, v.ny))
    fail(name, "other bits in place, in smaller blocks or in ranges");
  free(was), free(two);
  free(v.x), free(v.g), free(v.u), free(v.bias), free(v.r), free(v.y);
}

static void test_o2c_winograd_f32(void)
{
  static const int ocs[] = {1, 3, 8, 15, 16, 17, 24, 31, 32, 33, 40, 65};
  for (int m = 2; m <= 4; m += 2) {
    for (int h = 1; h <= 11; h++)
      for (int k = 0; k < (int)(sizeof ocs / sizeof *ocs); k++) {
        const int dims[4] = {h, 1 + (int)rnd(13), 16 + (int)rnd(25), ocs[k]};
        wino_check(m, dims);
      }
    {
      const int wide[4] = {5, 70, 64, 64}, deep[4] = {7, 7, 200, 96};
      wino_check(m, wide);
      wino_check(m, deep);
    }
  }
}

#endif
