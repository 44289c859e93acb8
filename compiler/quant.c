/* SPDX-License-Identifier: Apache-2.0 */
/* Products of bytes, for the passes that make QConv and QGemm.
 *
 * The kernels want activations of u8 and weights of s8 whose zero point is 0.
 * An s8 tensor is the u8 one with the highest bit flipped, and its zero point
 * 128 higher. A weight less its zero point is up to 9 bits wide: where s8 does
 * not hold it, it is the sum of two weights, and so is the product, which
 * wraps as int32 and so is exact either way.
 */
#include "ir.h"

#include <string.h>

static Value *flip(Node *at, Value *x)
{
  return node_op(at, "BitwiseXor", 2, x,
                 value_const_scalar(at->g, "sign_bit", DT_U8, 128));
}

Value *bytes_twin(const Value *x)
{
  Node *c, *f;
  if (x->dtype != DT_I8 || !match_op(x, "Cast", &c) ||
      c->in[0]->dtype != DT_U8 || !match_op(c->in[0], "BitwiseXor", &f))
    return NULL;
  const Tensor *t = const_input(f, 1);
  return t && t->n == 1 && tensor_i64(t, 0) == 128 ? f->in[0] : NULL;
}

Value *bytes_unsigned(Node *at, Value *x)
{
  Value *twin = bytes_twin(x);
  return twin ? twin : flip(at, node_cast(at, x, DT_U8));
}

Value *bytes_signed(Node *at, Value *x)
{
  return node_cast(at, flip(at, x), DT_I8);
}

static int64_t zero_at(const Tensor *z, int64_t i)
{
  return z ? tensor_i64(z, z->n == 1 ? 0 : i) : 0;
}

/* 9 bits into two of 8; 255 = 127 + 128 is the one that does not fit. */
static bool split(int64_t v, int8_t *a, int8_t *b)
{
  *a = (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
  *b = (int8_t)(v == 255 ? 0 : v - *a);
  return v != 255;
}

bool byte_weight(Graph *g, const Tensor *w, const Tensor *zero, bool trans,
                 ByteWeight *out)
{
  int64_t dim[MAX_RANK];
  memcpy(dim, w->dim, sizeof dim);
  if (trans) {
    dim[0] = w->dim[1];
    dim[1] = w->dim[0];
  }
  bool wide = false;
  out->filters = dim[0];
  out->per = dim[0] ? w->n / dim[0] : 0;
  int8_t *part[2];
  for (int i = 0; i < 2; i++) {
    out->part[i] = tensor_new(&g->m->arena, DT_I8, w->rank, dim);
    part[i] = (int8_t *)(uintptr_t)out->part[i]->data;
  }
  for (int64_t f = 0; f < out->filters; f++)
    for (int64_t k = 0; k < out->per; k++) {
      int64_t to = f * out->per + k;
      int64_t from = trans ? k * out->filters + f : to;
      if (!split(tensor_i64(w, from) - zero_at(zero, f), &part[0][to],
                 &part[1][to]))
        return false;
      wide = wide || part[1][to];
    }
  if (!wide)
    out->part[1] = NULL;
  return true;
}

int64_t byte_weight_most(const ByteWeight *w, int64_t f)
{
  int64_t most = 0;
  for (int i = 0; i < 2 && w->part[i]; i++) {
    const int8_t *p = (const int8_t *)w->part[i]->data + f * w->per;
    for (int64_t k = 0; k < w->per; k++)
      most += p[k] < 0 ? -p[k] : p[k];
  }
  return most * 255;
}

/* The steps, and -x_zp * sum(w); it wraps as the sums do. */
static Value *bias_of(const ByteProduct *p, int part)
{
  const ByteWeight *w = p->w;
  Graph *g = p->n->g;
  Tensor *t = tensor_new(&g->m->arena, DT_I32, 1, &w->filters);
  const int8_t *q = w->part[part]->data;
  for (int64_t f = 0; f < w->filters; f++) {
    int64_t sum = 0;
    for (int64_t k = 0; k < w->per; k++)
      sum += q[f * w->per + k];
    uint64_t v = (uint64_t)(p->bias && part == 0 ? p->bias[f] : 0) -
                 (uint64_t)(p->x_zp * sum);
    tensor_set_i64(t, f, (int32_t)(uint32_t)v);
  }
  return value_const(g, "bias", t);
}

/* `rank` axes, filters along `axis`. */
static Value *scales(const ByteProduct *p, int rank, int axis)
{
  int64_t dim[MAX_RANK];
  for (int i = 0; i < rank; i++)
    dim[i] = i == axis ? p->w->filters : 1;
  Tensor *t = tensor_new(&p->n->g->m->arena, DT_F32, rank, dim);
  for (int64_t f = 0; f < p->w->filters; f++)
    tensor_set_f64(t, f, p->scale ? (double)p->scale[f] : 1);
  return value_const(p->n->g, "scale", t);
}

static Value *put_part(Node *at, const ByteProduct *p, int part, Dtype t)
{
  Graph *g = at->g;
  const Value *like = p->n->out[0];
  Node *c = node_new(g, at, p->op, 4, 1, p->n);
  c->domain = "o2c";
  c->version = 1;
  c->op = op_find("o2c", p->op);
  c->attr = p->n->attr;
  c->nattr = p->n->nattr;
  node_set_input(c, 0, p->x);
  node_set_input(c, 1, value_const(g, "w_s8", p->w->part[part]));
  node_set_input(c, 2, bias_of(p, part));
  node_set_input(c, 3, scales(p, 1, 0));
  attr_set_int(c, "x_zp", p->x_zp);
  attr_set_int(c, "y_zp", p->y_zp);
  attr_set_int(c, "lo", p->lo);
  attr_set_int(c, "hi", p->hi);
  Value *y = value_new(g, like->name, t, like->rank,
                       (const Dim *const *)like->dim);
  node_set_output(c, 0, y);
  return y;
}

Value *byte_product(Node *at, const ByteProduct *p, Dtype t)
{
  if (!p->w->part[1])
    return put_part(at, p, 0, t);
  Value *sum = node_op(at, "Add", 2, put_part(at, p, 0, DT_I32),
                       put_part(at, p, 1, DT_I32));
  if (t == DT_I32)
    return sum;
  bool conv = !strcmp(p->op, "QConv");
  int rank = conv ? sum->rank - 1 : 1;
  Value *y = node_op(at, "Mul", 2, node_cast(at, sum, DT_F32),
                     scales(p, rank, 0));
  if (t == DT_F32)
    return y;
  return node_op(at, "QuantizeLinear", 3, y,
                 value_const_scalar(at->g, "one", DT_F32, 1),
                 value_const_scalar(at->g, "zero_point", t, p->y_zp));
}
