/* SPDX-License-Identifier: Apache-2.0 */
/* How products and convolutions are divided among threads: by pixels (rows of
 * a product), where each worker reads all weights and its part of the input,
 * or by columns (output channels), where it is the other way round. What is
 * quicker for the number of workers that the steps are divided for is taken:
 * the largest share of the arithmetic, and the bytes that a worker reads.
 */
#include "cpu.h"

#define COLUMNS 32 /* two panels */

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Ticks until the slowest of `workers` is done: it does `most` of `total`
 * elements, and reads its part of `own` bytes and all of the `shared`. */
static double slowest(int64_t total, int64_t unit, int workers, double ticks,
                      double own, double shared)
{
  int64_t most = ceil_div(ceil_div(total, unit), workers) * unit;
  double part = (double)(most < total ? most : total) / (double)total;
  return part * ticks + (part * own + shared) * TICKS_BYTE;
}

bool share_by_columns(const Plan *p, const Share *h)
{
  int64_t pixels, x = 0;
  if (!dim_is_int(h->pixels, &pixels) || pixels < 1)
    return false;
  dim_is_int(h->x_bytes, &x);
  int n = split_workers(p);
  double all = (double)pixels * (double)h->columns * (double)h->k * h->ticks;
  double w = (double)h->k * (double)h->columns * h->w_size;
  return slowest(h->columns, COLUMNS, n, all, w, (double)x) <
         slowest(pixels, h->unit, n, all, (double)x, w);
}

/* What a column costs: its products, but at least the reading of its weights.
 */
static const Dim *column_ticks(const Plan *p, const Share *h)
{
  DimPool *d = &p->m->dims;
  const Dim *macs = dim_mul(d, h->pixels, dim_int(d, h->ticks));
  const Dim *read = dim_int(d, TICKS_BYTE * h->w_size);
  return dim_mul(d, dim_int(d, h->k), dim_max(d, macs, read));
}

void share_product(Step *s, const Share *h)
{
  Plan *p = s->plan;
  DimPool *d = &p->m->dims;
  bool columns = share_by_columns(p, h);
  if (columns)
    step_split(s, dim_int(d, h->columns), COLUMNS, column_ticks(p, h));
  else
    step_split(s, h->pixels, h->unit,
               dim_int(d, h->columns * h->k * h->ticks));
  step_int(s, "BY_PIXELS", s->split && !columns);
  step_int(s, "BY_COLUMNS", s->split && columns);
  step_text(s, "PART", "%s", !s->split ? "" : columns ? "_columns" : "_pixels");
  step_text(s, "RANGE", "%s",
            s->split ? ", (int32_t)from, (int32_t)to" : "");
}

/* Is the convolution's work worth dividing? */
bool share_conv_pays(const Conv *v, int ticks)
{
  int64_t k = v->kh * v->kw * v->cg;
  const Dim *pixels = dim_mul(v->d, v->oh, v->ow);
  return dim_is(v->g.batch, 1) &&
         split_pays(v->p, pixels, dim_int(v->d, v->oc * k * ticks));
}

/* Depthwise: two output rows at a time share their inputs. */
void share_rows(Conv *v, int ticks)
{
  int64_t row = v->oc * v->kh * v->kw * v->cg * ticks;
  if (dim_is(v->g.batch, 1) && !v->pad)
    step_split(v->s, v->oh, 2, conv_times(v, v->ow, row));
  step_text(v->s, "PART", "%s", v->s->split ? "_rows" : "");
  step_text(v->s, "RANGE", "%s", v->s->split ? ", from, to" : "");
}

void share_conv(Conv *v, const Share *h)
{
  int64_t ow;
  /* Units of whole rows need to know how long those are. */
  bool whole = h->unit == 1 && !dim_is_int(v->ow, &ow);
  if (dim_is(v->g.batch, 1) && !v->pad && !whole) {
    share_product(v->s, h);
    return;
  }
  step_text(v->s, "PART", "%s", "");
  step_text(v->s, "RANGE", "%s", "");
  step_int(v->s, "BY_PIXELS", 0);
  step_int(v->s, "BY_COLUMNS", 0);
}
