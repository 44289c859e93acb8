/* SPDX-License-Identifier: 0BSD */
/* A chain of convolutions by strips of rows: a few rows of the last map at a
   time, and of each map before it only the rows that these want, so that the
   maps between stages stay in the cache and need no room of their own.

   static void o2c_strips(o2c_strip_stage *stage, int n, const void *x,
                          void *y, int64_t y_row, const o2c_strip_rows *r);

   Stage 0 reads x, whose rows are stage[0].row bytes apart, borders included.
   Each later stage reads a window: the rows of its input, borders of `fill`
   included, that the strip needs. What the next strip needs again moves to the
   window's top. The last stage writes rows y_row bytes apart at y. All of
   rows first <= i < last of y are written, `step` at a time; a part of them
   has the same bits as when the whole is computed, and as when each stage
   computes its whole map first: stages run the same kernels on fewer rows.

   A stage's run(stage, x, y, i, rows) computes output rows i to i + rows - 1:
   x is where row i finds its first input row, y where row i goes. It never
   wants fewer input rows than it steps over: kh >= sh. A window has
   (rows of a strip - 1) * sh + kh rows, where the strip of the stage before
   the last is the last one's window, and so on. */
#ifndef O2C_STRIP_H
#define O2C_STRIP_H

#include <string.h>

#include "simd.h"

typedef struct o2c_strip_stage o2c_strip_stage;
struct o2c_strip_stage {
  void (*run)(const o2c_strip_stage *s, const void *x, void *y, int32_t i,
              int32_t rows);
  const void *p, *w, *b, *r; /* run's own: parameters, weights, bias, more */
  unsigned char *window;     /* NULL: the first stage */
  int64_t row, left;         /* bytes: of an input row; of its left border */
  int32_t room;              /* rows of the window */
  int32_t kh, sh, top;       /* input rows of an output row; step; padding */
  int32_t rows;              /* output rows of the whole map */
  int32_t fill;
  /* where it stands: the window's first row, counted from the border's; rows
     done, and to be done in this strip */
  int32_t base, done, end;
};

typedef struct { int32_t first, last, step; } o2c_strip_rows;

/* Drops the rows that no output row from `done` on reads. */
O2C_UNUSED static void o2c_strip_move(o2c_strip_stage *s, int32_t had)
{
  const int32_t drop = s->done * s->sh - s->base;
  const int32_t keep = s->top + had - s->base - drop;
  if (drop > 0 && keep > 0)
    memmove(s->window, s->window + drop * s->row,
            (size_t)keep * (size_t)s->row);
  s->base += drop;
}

/* The rows of one stage that the strip needs; `next` reads them, or y is it. */
O2C_UNUSED static void o2c_strip_run(o2c_strip_stage *s, o2c_strip_stage *next,
                                     const unsigned char *x, unsigned char *y,
                                     int64_t y_row)
{
  const int32_t rows = s->end - s->done;
  int32_t row = s->done;
  if (s->window)
    x = s->window;
  if (next) {
    o2c_strip_move(next, s->done);
    y = next->window + next->left;
    y_row = next->row;
    row += next->top - next->base;
  }
  if (rows > 0)
    s->run(s, x + (s->done * s->sh - s->base) * s->row, y + row * y_row,
           s->done, rows);
  if (s->end > s->done)
    s->done = s->end;
  if (next && s->done == s->rows) { /* padding below */
    int32_t real = next->top + s->rows - next->base;
    real = real > 0 ? real : 0;
    if (real < next->room)
      memset(next->window + real * next->row, next->fill,
             (size_t)(next->room - real) * (size_t)next->row);
  }
}

O2C_UNUSED static void o2c_strips(o2c_strip_stage *stage, int n, const void *x,
                                  void *y, int64_t y_row,
                                  const o2c_strip_rows *r)
{
  int32_t row = r->first;
  for (int i = n - 1; i >= 0; i--) {
    o2c_strip_stage *s = &stage[i];
    s->done = row;
    s->base = s->window ? row * s->sh : 0;
    row = row * s->sh - s->top;
    row = row > 0 ? row : 0;
    if (s->window)
      memset(s->window, s->fill, (size_t)s->room * (size_t)s->row);
  }
  for (int32_t at = r->first; at < r->last; at += r->step) {
    row = at + r->step < r->last ? at + r->step : r->last;
    for (int i = n - 1; i >= 0; i--) {
      o2c_strip_stage *s = &stage[i];
      s->end = row < s->rows ? row : s->rows;
      row = (s->end - 1) * s->sh + s->kh - s->top;
    }
    for (int i = 0; i < n; i++)
      o2c_strip_run(&stage[i], i + 1 < n ? &stage[i + 1] : NULL,
                    (const unsigned char *)x, (unsigned char *)y, y_row);
  }
}

#endif
