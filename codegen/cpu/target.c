/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU provider: tuned kernels where one fits the node, the elementwise
 * template, else the operator's reference kernels.
 */
#include "cpu.h"

#include <string.h>

typedef bool (*LowerFn)(Plan *p, Node *n);

/* Asked in order; the first that takes the node has written its steps. */
static const LowerFn tuned[] = {
  lower_copy,
  lower_pack,
  lower_bf16,
  lower_strip,
  lower_winograd_f32,
  lower_conv_f32,
  lower_deconv_f32,
  lower_recurrent_f32,
  lower_lstm_u8,
  lower_dense_f32,
  lower_gemm_f32,
  lower_matmul_f32,
  lower_attention_f32,
  lower_linear_f32,
  lower_conv_u8,
  lower_gemm_u8,
  lower_pool_tuned,
  lower_norm_f32,
  lower_lrn_f32,
  lower_softmax_f32,
  lower_topk_f32,
  lower_svm_f32,
  lower_distance_f32,
  lower_fft_f32,
  lower_trees,
  lower_reduce_f32,
  lower_dynamic_quantize,
  lower_resize,
  lower_transpose,
  lower_move,
  lower_pick,
  lower_table_u8,
  lower_add_u8,
  lower_elementwise,
};

static bool supports(const Plan *p, const Node *n)
{
  (void)p;
  return n->op != NULL && !needs_device(n);
}

static void lower(Plan *p, Node *n)
{
  for (int i = 0; i < COUNT(tuned); i++)
    if (tuned[i](p, n))
      return;
  lower_ref(p, n);
}

/* A map of other types than the file declares is refused. */
static const char *map_types(Plan *p, const Value *v)
{
  const Type *t = v->declared;
  if (v->kind != VK_MAP)
    return "";
  return arena_printf(p->a, " || x->item[0].dtype != %d ||\n"
                      "      x->item[1].dtype != %d", (int)t->dtype,
                      (int)t->elem->dtype);
}

/* What a value holds that is no tensor: as much as the data shows. */
static void copy_value(Plan *p, Node *n)
{
  Step *s = step_new(p, n, "VALUE_COPY");
  StrBuf take;
  sb_init(&take, p->a);
  step_in(s, "x", n->in[0]);
  step_out(s, "y", n->out[0]);
  step_text(s, "KIND", "%s", value_kind(n->in[0]));
  step_text(s, "TYPES", "%s", map_types(p, n->in[0]));
  step_take_size(s, &take, n->size[0], "found");
  step_text(s, "TAKE", "%.*s", (int)take.n, take.s);
  step_kernel(s, "value.h");
  s->kernel_note = "value_copy";
  sb_free(&take);
}

/* A graph output that must be its own tensor. */
bool lower_copy(Plan *p, Node *n)
{
  if (!node_is_internal(n, "Copy"))
    return false;
  if (n->in[0]->kind != VK_TENSOR) {
    copy_value(p, n);
    return true;
  }
  Step *s = step_new(p, n, "COPY");
  Value *x = n->in[0];
  step_in(s, "x", x);
  step_out(s, "y", n->out[0]);
  DimPool *d = &p->m->dims;
  step_dim(s, "BYTES", dim_mul(d, value_numel(x),
                               dim_int(d, dtype_info(x->dtype)->size)));
  return true;
}

static void prepare(Plan *p)
{
  if (p->device)
    return; /* neighbours may be elsewhere */
  plan_halos(p);
  plan_strips(p);
}

const Target target_cpu = { "cpu", supports, cpu_takes_strides, NULL, NULL,
                            NULL, prepare, lower };
