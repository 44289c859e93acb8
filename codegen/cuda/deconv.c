/* SPDX-License-Identifier: Apache-2.0 */
/* ConvTranspose: an element of y, or four channels of it, is a thread's, which
 * looks for the pixels of x whose taps fall on it. */
#include "cuda.h"

#include <string.h>

enum { WIDE = 4 };

/* ConvTranspose-22; W [C, M / g, ..]. */
bool cuda_takes_deconv(const Plan *p, const Node *n)
{
  static const Dtype types[] = { DT_F32, DT_F16, DT_BF16, DT_F64, DT_NONE };
  ConvGeom g;
  int64_t c, m;
  (void)p;
  return node_is(n, "ConvTranspose") && cuda_all_types(n, types) &&
         conv_transpose_geometry(n, &g) && cuda_window_fits(&g) &&
         dim_is_int(g.channels, &c) && dim_is_int(g.filters, &m) && c > 0 &&
         m > 0;
}

/* W [c, m / g, area] as [c, area, m / g]: a channel a part. */
static void make_turned(const Packing *p, int64_t part, void *to)
{
  int64_t m = p->arg[0], area = p->arg[1], size = p->arg[2];
  const char *from = (const char *)p->from->data + part * m * area * size;
  for (int64_t i = 0; i < area; i++)
    for (int64_t j = 0; j < m; j++)
      memcpy((char *)to + (i * m + j) * size, from + (j * area + i) * size,
             (size_t)size);
}

void cuda_lower_deconv(Plan *p, Node *n)
{
  ConvGeom g;
  int64_t c = 0, m = 0, area = 1;
  Value *w = n->in[1], *y = n->out[0];
  conv_transpose_geometry(n, &g);
  dim_is_int(g.channels, &c);
  dim_is_int(g.filters, &m);
  for (int i = 0; i < g.n; i++)
    area *= g.kernel[i];
  m /= g.group;
  bool turned = w->data && g.channels_last;
  int wide = turned && m % WIDE == 0 ? WIDE : 1;
  if (turned) {
    Packing k = { .make = make_turned, .from = w->data, .parts = c,
                  .arg = { m, area, dtype_info(w->dtype)->size } };
    w = value_packed(n, "w_turned", w->dtype, w->data->n, k);
  }
  Step *s = device_step(p, n, "CUDA_DECONV");
  step_in(s, "x", n->in[0]);
  step_in(s, "w", w);
  if (node_in(n, 2))
    step_in(s, "bias", n->in[2]);
  step_out(s, "y", y);
  cuda_put_type(s, y->dtype);
  cuda_put_window(s, &g);
  cuda_put_strides(s, &g);
  step_text(s, "BIAS", node_in(n, 2) ? "1" : "");
  step_int(s, "V", wide);
  step_int(s, "CG", c / g.group);
  step_int(s, "MG", m);
  step_int(s, "M", m * g.group);
  step_int(s, "W_C", m * area);
  step_int(s, "W_K", turned ? 1 : area);
  step_int(s, "W_TAP", turned ? m : 1);
  step_text(s, "COUNT", "(%s) / %d", step_dim_text(s, value_numel(y)), wide);
  device_index(s, dim_max(&p->m->dims, value_numel(y), value_numel(n->in[0])));
  s->kernel_note = "cuda transposed convolution";
}
