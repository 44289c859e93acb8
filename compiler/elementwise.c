/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operators: the records made of elementwise.def, and chains.
 *
 * A node becomes a list of steps, each of one operand type: what a record says
 * in one row is one step, and variadic, mixed and clipping operators are
 * several. Everything that runs them (the folder, the C generator, fusion)
 * sees steps only. */
#include <string.h>
#include "ir.h"

static void infer_elementwise(Node *n);
static void upgrade_broadcast(Node *n);
static void upgrade_prelu(Node *n);
static void upgrade_selu(Node *n);
static bool permute_elementwise(Node *n, const int *perm, int rank);

/* Rows. A text that is NULL is that of the row before. */
#define SIG1 "X:T -> Y:T"
#define SIG2 "A:T B:T -> C:T"
#define SIGP1 "X:T -> Y:B"
#define SIGP2 "A:T B:T -> C:B"
#define SIGN "data:T... -> Y:T"
#define OLD_ATTRS "axis:i broadcast:i"
#define ROW(...) {__VA_ARGS__},
#define V(v, types) ROW(v, NULL, "T=" types, NULL, NULL)
#define VA(v, types, attrs) ROW(v, NULL, "T=" types, attrs, NULL)
#define VP(v, types) ROW(v, NULL, "T=" types "; B=bool", NULL, NULL)
#define FIRST1(v, types, attrs) ROW(v, SIG1, "T=" types, attrs, NULL)
#define FIRST2(v, types, attrs) ROW(v, SIG2, "T=" types, attrs, NULL)
#define FIRSTP1(v, types, attrs) \
  ROW(v, SIGP1, "T=" types "; B=bool", attrs, NULL)
#define FIRSTP2(v, types, attrs) \
  ROW(v, SIGP2, "T=" types "; B=bool", attrs, NULL)
#define FIRST1_OLD(types, attrs) FIRST1(1, types, attrs "consumed_inputs:I")
#define ROWS1_1_6_13 \
  FIRST1_OLD("float", "") VA(6, "float", "") V(13, "float bf16")
#define ROWS1_1_6_22(attrs) \
  FIRST1_OLD("float", attrs " ") VA(6, "float", attrs) V(22, "float bf16")
#define ROWS1_7_22 FIRST1(7, "float", "") V(22, "float bf16")
#define ROWS1_9_22 FIRST1(9, "float", "") V(22, "float bf16")
#define ROWS1_NUM FIRST1_OLD("float", "") VA(6, "num", "") V(13, "num bf16")
#define ROWS2_ARITH                                               \
  ROW(1, SIG2, "T=float", OLD_ATTRS " consumed_inputs:I", NULL)   \
  ROW(6, NULL, "T=num32", OLD_ATTRS, upgrade_broadcast)           \
  VA(7, "num32", "") V(13, "num32 bf16") V(14, "num bf16")
#define ROWS2_LOGIC OLDP2("bool")
#define OLDP2(types)                                                     \
  ROW(1, SIGP2, "T=" types "; B=bool", OLD_ATTRS, upgrade_broadcast)     \
  ROW(7, NULL, NULL, "", NULL)
#define ROWSN_8                                                    \
  ROW(1, SIGN, "T=float", "consumed_inputs:I", NULL)               \
  ROW(6, NULL, NULL, "", NULL) ROW(8, NULL, NULL, NULL, NULL)

/* First reading of the table: arrays of rows. */
#define EW1(name, params, rows, bodies) \
  static const OpRow rows_##name[] = {rows};
#define EW2 EW1
#define EWN EW1
#define PRED1 EW1
#define PRED2 EW1
#define SELECT EW1
#define STEP1(name, bodies)
#define STEP2 STEP1
#include "elementwise.def"
#undef EW1
#undef EW2
#undef EWN
#undef PRED1
#undef PRED2
#undef SELECT
#undef STEP1
#undef STEP2

/* Second reading: the records. */
#define NONE
#define NUM(...) .par = {__VA_ARGS__},
#define CHOICE(words) .choice = words,
#define FLOAT(e) .text[EC_FLOAT] = #e,
#define SIGNED(e) .text[EC_SIGNED] = #e,
#define UNSIGNED(e) .text[EC_UNSIGNED] = #e,
#define INT(e) .text[EC_SIGNED] = #e, .text[EC_UNSIGNED] = #e,
#define ALL(e) FLOAT(e) INT(e)
#define BOOL(e) .text[EC_BOOL] = #e,
#define MOVE(e) .text[EC_MOVE] = #e,
#define STR(e) .text[EC_MOVE] = #e,
#define VIA_F64 .via_f64 = true,
#define HEAD(op, k, n)                                                     \
  .kind = k, .arity = n,                                                   \
  .def = {.name = #op, .domain = "", .rows = rows_##op,                    \
          .nrow = COUNT(rows_##op), .flags = OP_ELEMENTWISE,               \
          .infer = infer_elementwise, .permute = permute_elementwise},
#define EW1(op, params, rows, bodies) {HEAD(op, EW_MAP, 1) params bodies},
#define EW2(op, params, rows, bodies) {HEAD(op, EW_MAP, 2) params bodies},
#define EWN(op, params, rows, bodies) {HEAD(op, EW_FOLD, 2) params bodies},
#define PRED1(op, params, rows, bodies) \
  {HEAD(op, EW_PREDICATE, 1) params bodies},
#define PRED2(op, params, rows, bodies) \
  {HEAD(op, EW_PREDICATE, 2) params bodies},
#define SELECT(op, params, rows, bodies) \
  {HEAD(op, EW_SELECT, 3) params bodies},
#define STEP1(op, bodies) {.def = {.name = #op}, .arity = 1, bodies},
#define STEP2(op, bodies) {.def = {.name = #op}, .arity = 2, bodies},
static const EwOp table[] = {
#include "elementwise.def"
};

/* What STEP rows make stands at the end, and is no operator. */
int ew_count(void)
{
  int n = COUNT(table);
  while (!table[n - 1].def.rows) n--;
  return n;
}

const OpDef *ew_at(int i) { return &table[i].def; }

const EwOp *ew_find(const char *name)
{
  for (int i = 0; i < COUNT(table); i++)
    if (!strcmp(table[i].def.name, name)) return &table[i];
  return NULL;
}

/* ONNX Add-6 and its kin: the second operand's first axis lies on `axis` of the
 * first one's; PRelu-6: slopes lie on axis 1. Ranks are not known before
 * inference, so the attribute stays until then. */
static void upgrade_broadcast(Node *n)
{
  if (!attr_int(n, "broadcast", 0)) attr_remove(n, "axis");
  attr_remove(n, "broadcast");
  attr_remove(n, "consumed_inputs");
}

static void upgrade_prelu(Node *n)
{
  attr_set_int(n, "axis", 1);
  attr_remove(n, "consumed_inputs");
}

static void upgrade_selu(Node *n)
{
  attr_set_float(n, "alpha", attr_float(n, "alpha", 1.6732f));
  attr_set_float(n, "gamma", attr_float(n, "gamma", 1.0507f));
  attr_remove(n, "consumed_inputs");
}

/* Gives the second operand the axes of length 1 that it lacks at its end. */
static void apply_axis(Node *n)
{
  Value *a = node_in(n, 0), *b = node_in(n, 1);
  int64_t axis, more[MAX_RANK];
  int missing;
  if (!attr_get(n, "axis") || !a || !b) return;
  axis = attr_int(n, "axis", 0);
  attr_remove(n, "axis");
  if (axis < 0) axis += a->rank;
  missing = a->rank - (int)axis - b->rank;
  if (axis < 0 || missing <= 0 || dim_is(value_numel(b), 1)) return;
  for (int i = 0; i < missing; i++) more[i] = b->rank + i;
  node_set_input(n, 1, node_op(n, "Unsqueeze", 2, b,
    value_const_ints(n->g, "axes", more, missing)));
}

/* The number of `word` among "a|b|c", or -1. */
static int choice_index(const char *words, const char *word)
{
  size_t n = strlen(word);
  for (int i = 0;; i++) {
    size_t len = strcspn(words, "|");
    if (len == n && !memcmp(words, word, n)) return i;
    words += len;
    if (!*words++) return -1;
  }
}

static bool read_choice(Node *n, const EwOp *op, const char *name, double *par)
{
  bool required = op->choice[0] == '!';
  const char *words = op->choice + required, *v = attr_str(n, name, NULL);
  int k = v ? choice_index(words, v) : required ? -1 : 0;
  if (k < 0)
    fail_model(n, "attribute %s is %s (spec: one of %s)", name,
               v ? quote(&n->g->m->arena, v) : "missing", words);
  *par = k;
  return k >= 0;
}

/* Values of the attributes, in the order of the newest row's text. */
static bool read_params(Node *n, const EwOp *op, double *par)
{
  const char *s = "";
  for (int i = 0; i < op->def.nrow; i++)
    if (op->def.rows[i].attrs) s = op->def.rows[i].attrs;
  for (int i = 0; *s; i++) {
    size_t len = strcspn(s, ":");
    const char *name = arena_strn(&n->g->m->arena, s, len);
    char type = s[len + 1];
    if (type == 's') {
      if (!read_choice(n, op, name, &par[i])) return false;
    } else if (type == 'f') {
      par[i] = (double)attr_float(n, name, (float)op->par[i]);
    } else {
      par[i] = (double)attr_int(n, name, (int64_t)op->par[i]);
    }
    s += len + 2;
    s += *s == ' ';
  }
  return true;
}

static void infer_elementwise(Node *n)
{
  const EwOp *op = (const EwOp *)n->op;
  double par[EW_MAX_PAR];
  if (!infer_ready(n) || !read_params(n, op, par)) return;
  apply_axis(n);
  if (op->kind == EW_PREDICATE)
    infer_broadcast(n, n->nin, DT_BOOL);
  else
    infer_broadcast(n, n->nin, n->in[op->kind == EW_SELECT]->dtype);
}

/* A constant operand with its axes permuted as those of its neighbours. */
static Value *permute_const(Node *n, Value *v, const int *perm, int rank)
{
  const Tensor *t = v->data;
  int64_t dim[MAX_RANK], step[MAX_RANK], at[MAX_RANK] = {0};
  size_t size = (size_t)dtype_info(t->dtype)->size;
  int pad = rank - t->rank;
  int64_t stride = 1, from = 0;
  Tensor *out;
  char *to;
  for (int k = rank - 1; k >= 0; k--) {
    int64_t d = k < pad ? 1 : t->dim[k - pad];
    for (int j = 0; j < rank; j++)
      if (perm[j] == k) {
        dim[j] = d;
        step[j] = stride;
      }
    stride *= d;
  }
  out = tensor_new(&n->g->m->arena, t->dtype, rank, dim);
  to = arena_alloc(&n->g->m->arena, (size_t)t->n * size + 16);
  out->data = to;
  for (int64_t i = 0; i < t->n; i++, to += size) {
    memcpy(to, (const char *)t->data + (size_t)from * size, size);
    for (int k = rank - 1; k >= 0; k--) {
      from += step[k];
      if (++at[k] < dim[k]) break;
      from -= step[k] * dim[k];
      at[k] = 0;
    }
  }
  return value_const(n->g, v->name, out);
}

/* Operands of one element fit anywhere; constants are rewritten. */
static bool permute_elementwise(Node *n, const int *perm, int rank)
{
  for (int i = 0; i < n->nin; i++) {
    const Value *v = n->in[i];
    if (!v || v->rank == rank) continue;
    if (v->rank > rank) return false;
    if (!v->data && !dim_is(value_numel(v), 1)) return false;
  }
  for (int i = 0; i < n->nin; i++) {
    Value *v = n->in[i];
    if (v && v->data && v->data->n != 1)
      node_set_input(n, i, permute_const(n, v, perm, rank));
  }
  return true;
}

/* Chains. */
EwClass ew_class(Dtype t)
{
  switch (dtype_info(t)->cls) {
  case DC_FLOAT: return EC_FLOAT;
  case DC_INT: return EC_SIGNED;
  case DC_UINT: return EC_UNSIGNED;
  case DC_BOOL: return EC_BOOL;
  default: return EC_MOVE;
  }
}

Dtype ew_compute(Dtype t)
{
  switch (t) {
  case DT_U4: case DT_U2: return DT_U8;
  case DT_I4: case DT_I2: return DT_I8;
  default: return t != DT_F64 && ew_class(t) == EC_FLOAT ? DT_F32 : t;
  }
}

typedef struct { EwChain *c; Node *n; const int *arg; } Build;

static int add_step(Build *b, EwStep s)
{
  b->c->step = arena_grow(&b->n->g->m->arena, b->c->step, b->c->n,
                          sizeof(EwStep));
  b->c->step[b->c->n] = s;
  return ~b->c->n++;
}

static int add_cast(Build *b, int ref, Dtype from, Dtype to)
{
  if (from == to) return ref;
  return add_step(b, (EwStep){.kind = ES_CAST, .type = from, .out = to,
                              .arg = {ref, ref, ref}, .par = {1, 0}});
}

static int add_op(Build *b, const EwOp *op, Dtype t, const int *arg,
                  const double *par)
{
  EwStep s = {.op = op, .type = t, .out = t};
  if (op->kind == EW_PREDICATE) s.out = DT_BOOL;
  for (int i = 0; i < 3; i++) s.arg[i] = arg[i < op->arity ? i : 0];
  memcpy(s.par, par, sizeof s.par);
  return add_step(b, s);
}

/* ONNX Pow-12: the operands' types differ. Integer powers of integers are taken
 * in 64 bits, which gives the low bits of any narrower type; an exponent with a
 * fraction makes it double. */
static int add_pow(Build *b, const EwOp *op, const double *par)
{
  Dtype x = b->n->in[0]->dtype, y = b->n->in[1]->dtype, t = x;
  const Tensor *e = b->n->in[1]->data;
  int arg[2];
  if (ew_class(x) != EC_FLOAT) t = ew_class(y) == EC_FLOAT ? DT_F64 : DT_I64;
  arg[0] = add_cast(b, b->arg[0], x, t);
  if (ew_class(t) == EC_FLOAT && e && e->n == 1 && tensor_f64(e, 0) == 2)
    return add_cast(b, add_op(b, ew_find("Square"), t, arg, par), t, x);
  arg[1] = add_cast(b, b->arg[1], y, t);
  return add_cast(b, add_op(b, op, t, arg, par), t, x);
}

/* Min, Max, Sum, Mean of one operand are a copy. */
static int add_fold(Build *b, const EwOp *op, Dtype t, const double *par)
{
  int arg[2] = {b->arg[0], 0}, count = b->n->nin;
  double over[EW_MAX_PAR] = {count};
  if (count == 1)
    return add_step(b, (EwStep){.kind = ES_CAST, .type = t, .out = t,
                                .arg = {arg[0], arg[0], arg[0]}});
  for (int i = 1; i < count; i++) {
    arg[1] = b->arg[i];
    arg[0] = add_op(b, op, t, arg, par);
  }
  if (strcmp(op->def.name, "Mean")) return arg[0];
  return add_op(b, ew_find("Over"), t, arg, over);
}

static bool append_table(Build *b)
{
  Node *n = b->n;
  const EwOp *op = (const EwOp *)n->op;
  Dtype t = n->in[op->kind == EW_SELECT]->dtype;
  double par[EW_MAX_PAR] = {0};
  int arg[3];
  if (!read_params(n, op, par)) return false;
  if (!strcmp(op->def.name, "Pow")) return add_pow(b, op, par) < 0;
  if (op->via_f64 && ew_class(t) != EC_FLOAT) {
    for (int i = 0; i < op->arity; i++)
      arg[i] = add_cast(b, b->arg[i], t, DT_F64);
    add_cast(b, add_op(b, op, DT_F64, arg, par), DT_F64, t);
    return true;
  }
  if (!op->text[ew_class(t)]) return false;
  if (op->kind == EW_FOLD)
    add_fold(b, op, t, par);
  else
    add_op(b, op, t, b->arg, par);
  return true;
}

/* ONNX Clip-13: Min(max, Max(input, min)). */
static bool append_clip(Build *b)
{
  Dtype t = b->n->in[0]->dtype;
  const double none[EW_MAX_PAR] = {0};
  int arg[2] = {b->arg[0], 0};
  for (int i = 1; i <= 2; i++) {
    if (!node_in(b->n, i)) continue;
    arg[1] = b->arg[i];
    arg[0] = add_op(b, ew_find(i == 1 ? "AtLeast" : "AtMost"), t, arg, none);
  }
  if (arg[0] == b->arg[0])
    add_step(b, (EwStep){.kind = ES_CAST, .type = t, .out = t,
                         .arg = {arg[0], arg[0], arg[0]}});
  return true;
}

static bool append_cast(Build *b)
{
  Node *n = b->n;
  const char *mode = attr_str(n, "round_mode", "up");
  EwStep s = {
    .kind = ES_CAST, .type = n->in[0]->dtype, .out = n->out[0]->dtype,
    .arg = {b->arg[0], b->arg[0], b->arg[0]},
    .par = {(double)attr_int(n, "saturate", 1), choice_index("up|down|nearest",
                                                             mode)}
  };
  if (s.type != s.out && (ew_class(s.type) == EC_MOVE ||
                          ew_class(s.out) == EC_MOVE)) return false;
  add_step(b, s);
  return true;
}

/* Steps of a fused node: its inputs become ours, its steps move up. */
static bool append_fused(Build *b, const EwChain *f)
{
  int base = b->c->n;
  for (int i = 0; i < f->n; i++) {
    EwStep s = f->step[i];
    for (int k = 0; k < 3; k++)
      s.arg[k] = s.arg[k] == EW_ABSENT ? EW_ABSENT
               : s.arg[k] >= 0 ? b->arg[s.arg[k]] : s.arg[k] - base;
    add_step(b, s);
  }
  return true;
}

/* One scale, or one for each index of an axis; no blocks. */
static bool scale_fits(const Node *n)
{
  const Value *s = n->in[1];
  return s->dtype == DT_F32 && !attr_int(n, "block_size", 0) &&
         (dim_is(value_numel(s), 1) || s->rank == 1);
}

static bool append_quantize(Build *b)
{
  const Node *n = b->n;
  Dtype in = n->in[0]->dtype, out = n->out[0]->dtype;
  bool down = node_is(n, "QuantizeLinear");
  Dtype q = down ? out : in;
  EwClass c = ew_class(q);
  int64_t precision = attr_int(n, "precision", 0);
  if (c != EC_SIGNED && c != EC_UNSIGNED) return false;
  if (dtype_info(q)->bits > 16 && (down || q != DT_I32 || node_in(n, 2)))
    return false;
  if ((down ? in : out) != DT_F32 || !scale_fits(n)) return false;
  if (precision && precision != DT_F32) return false;
  add_step(b, (EwStep){
    .kind = down ? ES_QUANTIZE : ES_DEQUANTIZE, .type = in, .out = out,
    .arg = {b->arg[0], b->arg[1], node_in(n, 2) ? b->arg[2] : EW_ABSENT}});
  return true;
}

bool ew_append(EwChain *c, Node *n, const int *arg)
{
  Build b = {c, n, arg};
  int before = c->n;
  bool ok = false;
  if (!n->op) return false;
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && (n->in[i]->bad || n->in[i]->rank < 0)) return false;
  if (n->fused && !strcmp(n->op_type, "Fused"))
    return append_fused(&b, n->fused);
  if (node_is(n, "Clip"))
    ok = append_clip(&b);
  else if (node_is(n, "Cast") || node_is(n, "CastLike"))
    ok = append_cast(&b);
  else if (node_is(n, "QuantizeLinear") || node_is(n, "DequantizeLinear"))
    ok = append_quantize(&b);
  else if (n->op->infer == infer_elementwise)
    ok = append_table(&b);
  if (!ok) {
    c->n = before;
    return false;
  }
  c->step[c->n - 1].round = true;
  return true;
}

/* Does a scale along an axis broadcast as it is? */
static bool scale_is_last(const Node *n)
{
  int64_t axis = attr_int(n, "axis", 1);
  if (!node_is(n, "QuantizeLinear") && !node_is(n, "DequantizeLinear"))
    return true;
  return dim_is(value_numel(n->in[1]), 1) || axis == -1 ||
         axis >= n->in[0]->rank - 1;
}

EwChain *ew_chain(Node *n)
{
  Arena *a = &n->g->m->arena;
  EwChain *c = NEW(a, EwChain, 1);
  int *arg = NEW(a, int, n->nin + 1);
  for (int i = 0; i < n->nin; i++) arg[i] = i;
  return ew_append(c, n, arg) && scale_is_last(n) ? c : NULL;
}
