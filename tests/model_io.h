/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up inputs and room for the outputs of the model MODEL, every run-time
 * dimension being DIM: for programs that run any model. */
#include "o2c.h"

#include <stdlib.h>
#include <string.h>

const o2c_model *MODEL(void);

enum { PORTS = 16, DIMS = 16 };

static int64_t elements(const o2c_port *p, const int64_t *dim)
{
  int64_t n = 1;
  int i;
  for (i = 0; i < p->rank; i++)
    n *= p->dim[i].sym >= 0 ? dim[p->dim[i].sym] : p->dim[i].size;
  return n;
}

/* Zeros, aligned to 64. */
static void *get(size_t n)
{
  char *p = calloc(n + 64, 1);
  if (!p)
    exit(2);
  return p + (64 - (uintptr_t)p % 64);
}

static void fill(void *to, const o2c_port *p, int64_t n)
{
  uint32_t x = 12345;
  int64_t i;
  for (i = 0; i < n; i++) {
    x = x * 1664525u + 1013904223u;
    if (p->dtype == O2C_F32)
      ((float *)to)[i] = (float)(x >> 8) / 8388608.0f - 1.0f;
    else
      ((unsigned char *)to)[i * p->item_size] = (unsigned char)(x >> 30);
  }
}

typedef struct {
  const o2c_model *m;
  const void *in[PORTS];
  void *out[PORTS];
  size_t size[PORTS]; /* bytes of an output */
  int64_t dim[DIMS];
  o2c_config cfg;
  void *mem; /* of the context */
} model_io;

static void model_io_open(model_io *io, int dim)
{
  const o2c_model *m = MODEL();
  uint32_t i;
  memset(io, 0, sizeof *io);
  io->m = m;
  for (i = 0; i < DIMS; i++)
    io->dim[i] = dim;
  for (i = 0; i < m->n_in; i++) {
    const int64_t n = elements(&m->in[i], io->dim);
    void *p = get((size_t)n * (size_t)m->in[i].item_size);
    fill(p, &m->in[i], n);
    io->in[i] = p;
  }
  for (i = 0; i < m->n_out; i++) {
    int64_t shape[24], n = 1;
    int j;
    m->out_shape(io->dim, i, shape);
    for (j = 0; j < m->out[i].rank; j++)
      n *= shape[j];
    io->size[i] = (size_t)n * (size_t)m->out[i].item_size;
    io->out[i] = get(io->size[i]);
  }
  io->cfg.size = sizeof io->cfg;
  io->cfg.workspace_size = m->workspace_size(io->dim, 1);
  io->cfg.workspace = get(io->cfg.workspace_size);
  io->mem = get(m->ctx_size);
}
