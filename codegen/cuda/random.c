/* SPDX-License-Identifier: Apache-2.0 */
/* RandomNormal, RandomUniform, both Like forms, Bernoulli and Multinomial, with
 * the draws of ref/random.h, and Dropout with those of ref/dropout.h. */
#include "cuda.h"

#include <string.h>

bool cuda_takes_random(const Plan *p, const Node *n)
{
  static const char *const name[] = {
    "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
    "Bernoulli", "Multinomial",
  };
  (void)p;
  for (int i = 0; i < COUNT(name); i++)
    if (node_is(n, name[i]))
      return true;
  return false;
}

static void put_key(Step *s, const Dim *key)
{
  int64_t v = 0;
  dim_is_int(key, &v);
  step_text(s, "KEY", "%llu", (unsigned long long)v);
}

static void put_trip(Step *s, Value *trip)
{
  if (trip)
    step_in(s, "trip", trip);
  step_text(s, "TRIP", trip ? "trip" : "NULL");
}

/* random_uniform, random_normal: y, n key, low high, trip */
static void put_random(Plan *p, Node *n, const Call *c, bool normal)
{
  Dtype t = c->type;
  Step *s = device_step(p, n, normal ? "CUDA_NORMAL" : "CUDA_UNIFORM");
  put_trip(s, c->arg[5].v);
  step_out(s, "y", n->out[0]);
  cuda_put_dim(s, "COUNT", c->arg[1].dim[0]);
  put_key(s, c->arg[2].dim[0]);
  cuda_put_real(s, "LOW", c->arg[3].f);
  cuda_put_real(s, "HIGH", c->arg[4].f);
  step_int(s, "DRAWS", t == DT_F64 ? 2 : 4);
  step_text(s, "COS", t == DT_F64 ? "cos" : "cosf");
  step_text(s, "SIN", t == DT_F64 ? "sin" : "sinf");
}

/* bernoulli: x y, n key size one, trip */
static void put_bernoulli(Plan *p, Node *n, const Call *c)
{
  int64_t one = 0;
  Step *s = device_step(p, n, "CUDA_BERNOULLI");
  step_in(s, "x", n->in[0]);
  put_trip(s, c->arg[6].v);
  step_out(s, "y", n->out[0]);
  cuda_put_dim(s, "COUNT", c->arg[2].dim[0]);
  put_key(s, c->arg[3].dim[0]);
  dim_is_int(c->arg[5].dim[0], &one);
  step_text(s, "ONE", "UINT64_C(%llu)", (unsigned long long)one);
  step_text(s, "WORD", "%s", cuda_word(dtype_info(n->out[0]->dtype)->size));
  step_int(s, "DRAWS", c->type == DT_F64 ? 2 : 4);
}

/* multinomial: x y sum, batch classes samples key size, trip */
static void put_multinomial(Plan *p, Node *n, const Call *c)
{
  Step *s = device_step(p, n, "CUDA_MULTINOMIAL");
  step_in(s, "x", n->in[0]);
  put_trip(s, c->arg[8].v);
  step_out(s, "y", n->out[0]);
  step_scratch(s, "sum", DT_F64, value_numel(n->in[0]));
  step_dim(s, "ROWS", c->arg[3].dim[0]);
  step_dim(s, "CLASSES", c->arg[4].dim[0]);
  step_dim(s, "SAMPLES", c->arg[5].dim[0]);
  put_key(s, c->arg[6].dim[0]);
  step_text(s, "WORD", "%s", dtype_info(n->out[0]->dtype)->c);
}

void cuda_lower_random(Plan *p, Node *n)
{
  Call c;
  node_calls(p, n, &c, 1);
  if (node_is(n, "Bernoulli"))
    put_bernoulli(p, n, &c);
  else if (node_is(n, "Multinomial"))
    put_multinomial(p, n, &c);
  else
    put_random(p, n, &c, !strcmp(c.kernel, "random_normal"));
  cuda_put_class(p->last, "TYPE", c.type);
  step_text(p->last, "ELEMENT", "%s", dtype_info(c.type)->name);
  step_ref(p->last, "random", c.type);
  step_kernel(p->last, "cuda/type.h");
  step_kernel(p->last, "cuda/block.h");
  p->last->kernel_note = "cuda random";
}

/* The call that drops: the last one, of one or several. */
static bool drops(const Plan *p, const Node *n, Call *c)
{
  Call all[4];
  int count = node_calls(p, n, all, COUNT(all));
  for (int i = 0; i < count && i < COUNT(all); i++)
    if (!strcmp(all[i].kernel, "dropout")) {
      *c = all[i];
      return true;
    }
  return false;
}

bool cuda_takes_dropout(const Plan *p, const Node *n)
{
  (void)p;
  return node_is(n, "Dropout") && cuda_float_type(n->in[0]->dtype);
}

static void lower_keep(Plan *p, Node *n)
{
  Value *y = node_out(n, 0), *mask = node_out(n, 1);
  Step *s = device_step(p, n, "CUDA_KEEP");
  if (y) {
    step_in(s, "x", n->in[0]);
    step_out(s, "y", y);
  }
  if (mask) {
    Tensor *one = tensor_new(p->a, mask->dtype, 0, NULL);
    tensor_set_f64(one, 0, 1);
    step_out(s, "mask", mask);
    step_text(s, "ONE", "UINT64_C(%llu)",
              (unsigned long long)tensor_bits(one));
    step_text(s, "WORD", "%s", cuda_word(dtype_info(mask->dtype)->size));
  }
  step_text(s, "HAS_Y", y ? "1" : "");
  step_text(s, "HAS_MASK", mask ? "1" : "");
  step_dim(s, "COUNT", value_numel(n->in[0]));
  device_index(s, value_numel(n->in[0]));
  s->kernel_note = "cuda dropout";
}

/* dropout: x ratio train y mask state, n seed, trip */
void cuda_lower_dropout(Plan *p, Node *n)
{
  Call c;
  if (!drops(p, n, &c)) {
    lower_keep(p, n);
    return;
  }
  Value *ratio = node_in(n, 1), *trip = c.arg[8].v;
  int64_t seed = 0;
  dim_is_int(c.arg[7].dim[0], &seed);
  Step *s = device_step(p, n, "CUDA_DROPOUT");
  if (node_out(n, 0))
    step_in(s, "x", n->in[0]);
  if (ratio)
    step_in(s, "ratio_of", ratio);
  step_in(s, "train", n->in[2]);
  if (trip)
    step_in(s, "trip", trip);
  if (node_out(n, 0))
    step_out(s, "y", n->out[0]);
  if (node_out(n, 1))
    step_out(s, "mask", n->out[1]);
  step_text(s, "HAS_Y", node_out(n, 0) ? "1" : "");
  step_text(s, "HAS_MASK", node_out(n, 1) ? "1" : "");
  step_text(s, "RATIO", "%s",
            ratio ? cuda_load(s, "ratio_of", ratio->dtype) : "0.5");
  step_text(s, "TRAIN", "*train");
  step_text(s, "SEED", "%llu", (unsigned long long)seed);
  step_text(s, "OFFSET", trip ? "(uint64_t)*trip * 0x9e3779b9u" : "0");
  step_dim(s, "COUNT", value_numel(n->in[0]));
  cuda_put_class(s, "TYPE", n->in[0]->dtype);
  step_kernel(s, "cuda/type.h");
  step_kernel(s, "cuda/twister.h");
  s->kernel_note = "cuda dropout, one block";
}
