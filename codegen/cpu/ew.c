/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise nodes and fused chains: one loop nest, templates/c/ew.m4.
 *
 * Axes along which all operands move alike, or all stand still alike, become
 * one loop, so that most nodes are one flat loop. The innermost index has the
 * step 1 or 0 in every operand. An operand is read as far out as it can be,
 * and constants of one element are written into the expression.
 */
#include "cpu.h"

#include <string.h>

#define MAX_IN 64
/* On a GPU: elements and bytes of a pack, at most; threads, at least. */
enum { MOST_PACK = 8, PACK_BYTES = 16, FEW_THREADS = 8192 };

typedef struct {
  Plan *p;
  Step *s;
  Node *n;
  const EwChain *c;
  int rank, nloop;
  const Dim *extent[MAX_RANK]; /* of the loops, outermost first */
  uint64_t moves[MAX_RANK];    /* bit k: operand k moves with the loop */
  const Dim **step[MAX_RANK];  /* of the loops, by operand; last: output */
  const char *bound[MAX_RANK];
  const char *param[MAX_IN];   /* NULL: a literal, or not read */
  const char *ref[MAX_IN];     /* what stands for the operand in expressions */
  const Dim *held_dim[4 * MAX_RANK];
  int nheld;
  int pack;                    /* elements of a thread of a GPU; 0: on a CPU */
  bool follows;                /* a function of one element: ew_put_then */
  StrBuf head, body;
} Ew;

static const char *c_type(Dtype t)
{
  return dtype_info(ew_compute(t))->c;
}

/* Float in C, but narrower in memory. */
static bool is_narrow(Dtype t)
{
  return t != DT_F32 && ew_compute(t) == DT_F32;
}

static bool in_word(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_';
}

/* How often `letter` is a word of `text`. */
static int count_word(const char *text, char letter)
{
  int n = 0;
  char before = ' ';
  for (const char *s = text; *s; before = *s++)
    n += *s == letter && !in_word(before) && !in_word(s[1]);
  return n;
}

/* The integers that `t` holds. */
static void range_of(Dtype t, int64_t *lo, int64_t *hi)
{
  int bits = dtype_info(t)->bits;
  bool is_signed = ew_class(t) == EC_SIGNED;
  *lo = is_signed ? -((int64_t)1 << (bits - 1)) : 0;
  *hi = ((int64_t)1 << (bits - is_signed)) - 1;
}

/* A cast as an expression of x; a narrow result is rounded by `wrap`. */
static const char *cast_text(Ew *e, Dtype from, Dtype to)
{
  Arena *a = e->p->a;
  const char *c = c_type(to), *name = dtype_info(to)->name;
  const char *f = ew_compute(from) == DT_F64 ? "f64" : "f32";
  int bits = dtype_info(to)->bits;
  if (from == to || is_narrow(to))
    return "x";
  if (to == DT_BOOL)
    return "x != 0";
  if (ew_class(to) == EC_FLOAT)
    return ew_compute(from) == to ? "x" : arena_printf(a, "(%s)x", c);
  if (ew_class(from) == EC_FLOAT && bits >= 32)
    return arena_printf(a, "o2c_%s_to_%s(x)", f, name);
  const char *v = ew_class(from) == EC_FLOAT
    ? arena_printf(a, "o2c_%s_to_i32(x)", f) : "x";
  if (bits >= 8)
    return arena_printf(a, "(%s)%s", c, v);
  if (ew_class(to) == EC_SIGNED)
    return arena_printf(a, "o2c_low_bits((int32_t)%s, %d)", v, bits);
  return arena_printf(a, "(uint8_t)((uint32_t)%s & %uu)", v, (1u << bits) - 1);
}

static const char *step_expr(Ew *e, const EwStep *s)
{
  int64_t lo, hi;
  switch (s->kind) {
  case ES_OP:
    return s->op->text[ew_class(s->type)];
  case ES_CAST:
    return cast_text(e, s->type, s->out);
  case ES_QUANTIZE:
    range_of(s->out, &lo, &hi);
    return arena_printf(e->p->a, "(%s)o2c_quantize_f32(x, y, z, %lld, %lld)",
                        c_type(s->out), (long long)lo, (long long)hi);
  default:
    return "o2c_dequantize_f32(x, y, z)";
  }
}

/* What turns an expression into an element of memory of a narrow float. */
static void narrow_wrap(Ew *e, const EwStep *s, const char **before,
                        const char **after)
{
  Arena *a = e->p->a;
  const char *name = dtype_info(s->out)->name;
  DtypeClass from = dtype_info(s->type)->cls;
  bool wide = s->kind == ES_CAST && ew_compute(s->type) != DT_F32;
  const char *cast = wide && from != DC_FLOAT ? "(double)" : "";
  bool saturates = !strncmp(name, "f8", 2);
  *after = saturates ? arena_printf(a, ", %d)", s->par[0] != 0) : ")";
  *before = arena_printf(a, "o2c_%s_to_%s(%s", wide ? "f64" : "f32", name,
                         cast);
  if (s->out != DT_F8E8M0 || s->kind != ES_CAST)
    return;
  *before = arena_printf(a, "o2c_f64_to_f8e8m0_mode(%s",
                         ew_compute(s->type) == DT_F64 ? "" : "(double)");
  *after = arena_printf(a, ", %d, %d)", s->par[0] != 0, (int)s->par[1]);
}

static const char *float_text(Ew *e, double v, bool f32)
{
  StrBuf b;
  sb_init(&b, e->p->a);
  sb_float(&b, v, f32);
  const char *text = arena_strn(e->p->a, b.s, b.n);
  sb_free(&b);
  return *text == '-' ? arena_printf(e->p->a, "(%s)", text) : text;
}

static const char *literal_text(Ew *e, const Tensor *t)
{
  Arena *a = e->p->a;
  int64_t v = tensor_i64(t, 0);
  switch (ew_class(t->dtype)) {
  case EC_FLOAT:
    return float_text(e, tensor_f64(t, 0), ew_compute(t->dtype) == DT_F32);
  case EC_UNSIGNED:
    return arena_printf(a, "%lluu%s", (unsigned long long)v,
                        v > UINT32_MAX ? "ll" : "");
  default:
    return arena_printf(a, v < 0 ? "(%lld%s)" : "%lld%s", (long long)v,
                        v > INT32_MAX || v <= INT32_MIN ? "ll" : "");
  }
}

/* Is every use of input k the zero point of a quantisation? */
static bool only_zero_point(const EwChain *c, int k)
{
  for (int i = 0; i < c->n; i++) {
    const EwStep *s = &c->step[i];
    bool quant = s->kind == ES_QUANTIZE || s->kind == ES_DEQUANTIZE;
    for (int j = 0; j < 3; j++)
      if (s->arg[j] == k && !(quant && j == 2))
        return false;
  }
  return true;
}

/* Integers at the ends of their type would make C compilers warn of
 * comparisons that are always false, and 0 and -1 of divisions. */
static bool is_literal(const Ew *e, int k)
{
  const Tensor *t = e->n->in[k]->data;
  int64_t v, lo, hi;
  if (!t || t->n != 1 || t->dtype == DT_U64)
    return false;
  if (ew_class(t->dtype) == EC_FLOAT || only_zero_point(e->c, k))
    return true;
  if (ew_class(t->dtype) > EC_UNSIGNED)
    return false;
  v = tensor_i64(t, 0);
  if (dtype_info(t->dtype)->bits == 64)
    return v > 0 && v < INT64_MAX;
  range_of(t->dtype, &lo, &hi);
  return v > lo && v < hi && v != 0 && v != -1;
}

/* How often an expression reads the operand. A choice counts twice: its arms
 * make vectors only where they are values, not reads. */
static int uses(Ew *e, int ref)
{
  int n = 0;
  for (int i = 0; i < e->c->n; i++) {
    const EwStep *s = &e->c->step[i];
    int arity = s->kind == ES_OP ? s->op->arity : s->kind == ES_CAST ? 1 : 3;
    for (int j = 0; j < arity; j++)
      if (s->arg[j] == ref)
        n += count_word(step_expr(e, s), "xyz"[j]) *
             (strchr(step_expr(e, s), '?') ? 2 : 1);
  }
  return n;
}

static bool is_read(const Ew *e, int k)
{
  for (int i = 0; i < e->c->n; i++)
    for (int j = 0; j < 3; j++)
      if (e->c->step[i].arg[j] == k)
        return true;
  return false;
}

/* Parameters, one for each value that is read from memory. */
static void make_params(Ew *e)
{
  for (int k = 0; k < e->n->nin; k++) {
    Value *v = e->n->in[k];
    if (!v || !is_read(e, k))
      continue;
    if (is_literal(e, k)) {
      e->ref[k] = literal_text(e, v->data);
      continue;
    }
    for (int i = 0; i < k; i++)
      if (e->n->in[i] == v)
        e->param[k] = e->param[i];
    if (e->param[k])
      continue;
    e->param[k] = arena_printf(e->p->a, "a%d", k);
    step_in(e->s, e->param[k], v);
  }
  step_out(e->s, "y", e->n->out[0]);
}

static bool input_moves(const Ew *e, int k, int axis)
{
  const Value *v = e->n->in[k];
  axis -= e->rank - v->rank;
  return axis >= 0 && !dim_is(v->dim[axis], 1);
}

/* Steps of operand k, or the output (k = nin), along the output's axes; NULL
 * where it stands still. */
static const Dim **operand_steps(Ew *e, int k)
{
  Value *y = e->n->out[0], *v = k < e->n->nin ? e->n->in[k] : y;
  const Dim **step = NEW(e->p->a, const Dim *, MAX_RANK), *own[MAX_RANK];
  const Dim *s = dim_int(&e->p->m->dims, 1);
  bool strided = is_strided(e->p, v);
  stored_strides(e->p, v, own);
  for (int d = e->rank - 1; d >= 0; d--) {
    if (v != y && !input_moves(e, k, d))
      continue;
    step[d] = strided ? own[d - e->rank + v->rank] : s;
    s = dim_mul(&e->p->m->dims, s, y->dim[d]);
  }
  return step;
}

/* Does a loop over `extent` elements lead to where the one around it goes? */
static bool joins(Ew *e, const Dim *const *out, const Dim *const *in,
                  const Dim *extent)
{
  for (int k = 0; k <= e->n->nin; k++)
    if (in[k] && dim_mul(&e->p->m->dims, in[k], extent) != out[k])
      return false;
  return true;
}

static void make_loops(Ew *e)
{
  Value *y = e->n->out[0];
  int n = e->n->nin;
  const Dim ***along = NEW(e->p->a, const Dim **, n + 1);
  for (int k = 0; k <= n; k++)
    if (k == n || e->param[k])
      along[k] = operand_steps(e, k);
  for (int d = 0; d < e->rank; d++) {
    uint64_t moves = 0;
    int g = e->nloop;
    if (dim_is(y->dim[d], 1))
      continue;
    for (int k = 0; k < n; k++)
      if (e->param[k] && input_moves(e, k, d))
        moves |= (uint64_t)1 << k;
    const Dim **step = NEW(e->p->a, const Dim *, n + 1);
    for (int k = 0; k <= n; k++)
      step[k] = along[k] ? along[k][d] : NULL;
    if (g && e->moves[g - 1] == moves &&
        joins(e, e->step[g - 1], step, y->dim[d])) {
      e->extent[g - 1] = dim_mul(&e->p->m->dims, e->extent[g - 1], y->dim[d]);
      e->step[g - 1] = step;
    } else {
      e->moves[g] = moves;
      e->step[g] = step;
      e->extent[e->nloop++] = y->dim[d];
    }
  }
}

/* A size for use within loops: a number, or a local variable. */
static const char *size_text(Ew *e, const Dim *d)
{
  int64_t v;
  Arena *a = e->p->a;
  int i = 0;
  if (dim_is_int(d, &v))
    return arena_printf(a, "%lld", (long long)v);
  while (i < e->nheld && e->held_dim[i] != d)
    i++;
  if (i == COUNT(e->held_dim))
    return step_dim_text(e->s, d);
  if (i == e->nheld) {
    e->held_dim[e->nheld++] = d;
    sb_printf(&e->head, "G_EW_HOLD(<%%  %%>, <%%int64_t%%>, <%%n%d%%>, "
              "<%%%s%%>)m4_dnl\n", i, step_dim_text(e->s, d));
  }
  return arena_printf(a, "n%d", i);
}

static const char *loop_index(const Ew *e, int loop)
{
  static const char *const name[MAX_RANK] = {
    "i", "j", "k", "l", "m", "n", "o", "q", "r", "t", "u", "w"
  };
  return name[e->nloop - 1 - loop];
}

/* The place of the current element in operand k, or the output (k < 0). */
static const char *index_text(Ew *e, int k)
{
  Value *v = k < 0 ? e->n->out[0] : e->n->in[k];
  const Dim *start = halo_start(e->p, v);
  const char *text = NULL;
  for (int g = e->nloop - 1; g >= 0; g--) {
    const Dim *step = e->step[g][k < 0 ? e->n->nin : k];
    if (!step)
      continue;
    const char *i = loop_index(e, g);
    const char *term = dim_is(step, 1) ? i
      : arena_printf(e->p->a, "%s * %s", i, size_text(e, step));
    text = text ? arena_printf(e->p->a, "%s + %s", term, text) : term;
  }
  if (!text)
    text = "0";
  return dim_is(start, 0) ? text
    : arena_printf(e->p->a, "%s + %s", size_text(e, start), text);
}

/* On a GPU there are no loops, but the one over a pack. */
static const char *indent(const Ew *e, int level)
{
  if (e->follows)
    level = 0;
  else if (e->pack)
    level = e->pack > 1 && level == e->nloop ? 2 : 1;
  return arena_printf(e->p->a, "%*s", 2 * level + 2, "");
}

/* The loops that operand k needs around it. */
static int level_of(const Ew *e, int k)
{
  for (int g = e->nloop; g > 0; g--)
    if (e->moves[g - 1] >> k & 1)
      return g;
  return 0;
}

/* Decides how operand k is written, and reads it where it is held. */
static void make_operand(Ew *e, int k, int level)
{
  Arena *a = e->p->a;
  Dtype t = e->n->in[k]->dtype;
  bool packed = e->pack > 1 && level == e->nloop;
  const char *load = packed ? arena_printf(a, "p%d.v[part]", k)
    : arena_printf(a, "%s[%s]", e->param[k], index_text(e, k));
  if (is_narrow(t))
    load = arena_printf(a, "o2c_%s_to_f32(%s)", dtype_info(t)->name, load);
  if (level == e->nloop && level > 0 && !is_narrow(t) && uses(e, k) == 1) {
    e->ref[k] = load;
    return;
  }
  e->ref[k] = arena_printf(a, "%c%d", level == e->nloop ? 'x' : 'c', k);
  sb_printf(&e->body, "G_EW_HOLD(<%%%s%%>, <%%%s%%>, <%%%s%%>, "
            "<%%%s%%>)m4_dnl\n", indent(e, level), c_type(t), e->ref[k], load);
}

static void make_operands(Ew *e, int level)
{
  for (int k = 0; k < e->n->nin; k++)
    if (e->param[k] && level_of(e, k) == level)
      make_operand(e, k, level);
}

static const char *ref_text(Ew *e, int ref)
{
  if (ref == EW_ABSENT)
    return "0";
  return ref >= 0 ? e->ref[ref] : arena_printf(e->p->a, "v%d", ~ref);
}

static void note_kernels(Ew *e, const EwStep *s, const char *text)
{
  bool narrow = is_narrow(s->type) || is_narrow(s->out);
  if (s->kind != ES_OP)
    step_kernel(e->s, "cast.h");
  if (strstr(text, "o2c_") && s->kind == ES_OP)
    step_kernel(e->s, "ew_math.h");
  if (narrow)
    step_kernel(e->s, "ref/convert.h");
  if (ew_class(s->type) == EC_MOVE)
    step_kernel(e->s, "ref/base.h");
}

/* One line: a step as a local variable, the last one as the output. */
static void put_step(Ew *e, int k)
{
  const EwStep *s = &e->c->step[k];
  const char *before = "", *after = "", *target, *text = step_expr(e, s);
  bool last = k == e->c->n - 1, f32 = ew_compute(s->type) == DT_F32;
  bool fast = e->p->m->opt->math && !strcmp(e->p->m->opt->math, "fast");
  if (is_narrow(s->out) && (last || s->kind == ES_CAST ||
                            (s->round && !fast))) {
    narrow_wrap(e, s, &before, &after);
    if (!last) {
      before = arena_printf(e->p->a, "o2c_%s_to_f32(%s",
                            dtype_info(s->out)->name, before);
      after = arena_printf(e->p->a, "%s)", after);
    }
  }
  note_kernels(e, s, text);
  target = !last ? arena_printf(e->p->a, "const %s v%d", c_type(s->out), k)
         : e->follows ? arena_printf(e->p->a, "const %s made",
                                     dtype_info(s->out)->c)
         : e->pack > 1 ? "to.v[part]"
                       : arena_printf(e->p->a, "y[%s]", index_text(e, -1));
  sb_printf(&e->body, "G_EW_LET(<%%%s%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>, "
            "<%%%s%%>, <%%%s%%>, <%%%s%%>,\n<%%%s%%>, <%%%s%%>, <%%%s%%>, "
            "<%%%s%%>, <%%%s%%>, <%%%s%%>, %d, %d)m4_dnl\n",
            indent(e, e->nloop), target, before, after, c_type(s->type),
            dtype_info(s->type)->size == 8 ? "uint64_t" : "uint32_t",
            f32 ? "f" : "", text, ref_text(e, s->arg[0]),
            ref_text(e, s->arg[1]), ref_text(e, s->arg[2]),
            float_text(e, s->par[0], f32), float_text(e, s->par[1], f32),
            s->par[0] != 0, s->par[1] != 0);
}

/* By the outermost loop; where that is the only one, by whole cache lines. */
static void divide(Ew *e)
{
  DimPool *d = &e->p->m->dims;
  int64_t ticks = dtype_info(e->n->out[0]->dtype)->size * TICKS_BYTE;
  for (int k = 0; k < e->n->nin; k++)
    if (e->param[k])
      ticks += dtype_info(e->n->in[k]->dtype)->size * TICKS_BYTE;
  for (int k = 0; k < e->c->n; k++)
    ticks += e->c->step[k].kind == ES_OP ? TICKS_EW : 0;
  if (e->nloop)
    step_split(e->s, e->extent[0], e->nloop > 1 ? 1 : 64,
               dim_mul(d, dim_int(d, ticks),
                       dim_prod(d, e->extent + 1, e->nloop - 1)));
}

static void put_loops(Ew *e)
{
  divide(e);
  for (int g = 0; g < e->nloop; g++)
    e->bound[g] = e->s->split && !g ? "to" : size_text(e, e->extent[g]);
  make_operands(e, 0);
  for (int g = 0; g < e->nloop; g++) {
    if (g == e->nloop - 1)
      sb_printf(&e->body, "G_EW_FREE(<%%%s%%>)m4_dnl\n", indent(e, g));
    sb_printf(&e->body, "G_EW_FOR(<%%%s%%>, <%%%s%%>, <%%%s%%>, <%%%s%%>)"
              "m4_dnl\n", indent(e, g), loop_index(e, g),
              e->s->split && !g ? "from" : "0", e->bound[g]);
    make_operands(e, g + 1);
  }
  for (int k = 0; k < e->c->n; k++)
    put_step(e, k);
  for (int g = e->nloop - 1; g >= 0; g--)
    sb_printf(&e->body, "G_EW_END(<%%%s%%>)m4_dnl\n", indent(e, g));
}

/* The output may overwrite an operand that moves with every loop. */
static void allow_in_place(Ew *e)
{
  const Value *y = e->n->out[0];
  bool over = false;
  for (int k = 0; k < e->n->nin; k++) {
    const Value *v = e->n->in[k];
    if (!e->param[k] || v->data || v->dtype != y->dtype ||
        !value_same_shape(v, y))
      continue;
    step_keeps_up(e->s, e->param[k]);
    if (over || v->nuse != 1 || v->is_input || v->is_output) continue;
    step_in_place(e->s, "y", e->param[k]);
    over = true;
  }
}

/* Element e of the output, in the loops' indices. */
static void put_indices(Ew *e)
{
  const char *rest = "e";
  Arena *a = e->p->a;
  for (int g = e->nloop - 1; g >= 0; g--) {
    const char *n = g ? size_text(e, e->extent[g]) : "";
    const char *text = g ? arena_printf(a, "%s %% %s", rest, n) : rest;
    sb_printf(&e->body, "G_EW_HOLD(<%%    %%>, <%%G_INDEX%%>, <%%%s%%>, "
              "<%%%s%%>)m4_dnl\n", loop_index(e, g), text);
    if (g > 1)
      sb_printf(&e->body, "G_EW_HOLD(<%%    %%>, <%%G_INDEX%%>, <%%r%d%%>, "
                "<%%%s / %s%%>)m4_dnl\n", g, rest, n);
    rest = g > 1 ? arena_printf(a, "r%d", g)
                 : arena_printf(a, "%s / %s", rest, n);
  }
}

/* How many neighbours a thread takes, of which no operand has more than 16
 * bytes: as many as the innermost index is a multiple of. Not so many that few
 * threads are left. */
static int pack_of(Ew *e)
{
  int inner = e->nloop - 1, size = dtype_info(e->n->out[0]->dtype)->size;
  int64_t n, pack = MOST_PACK;
  const Dim *count = value_numel(e->n->out[0]);
  if (inner < 0 || dim_is(count, 0))
    return 1;
  for (int k = 0; k < e->n->nin; k++)
    if (e->param[k] && e->moves[inner] >> k & 1 &&
        dtype_info(e->n->in[k]->dtype)->size > size)
      size = dtype_info(e->n->in[k]->dtype)->size;
  while (pack > 1 && (pack * size > PACK_BYTES ||
                      dim_content(e->extent[inner]) % pack ||
                      (dim_is_int(count, &n) && n / pack < FEW_THREADS)))
    pack /= 2;
  return (int)pack;
}

/* Reads packs of what moves along the innermost index, and opens the loop over
 * their elements. */
static void open_pack(Ew *e)
{
  const char *c = dtype_info(e->n->out[0]->dtype)->c;
  for (int k = 0; k < e->n->nin; k++)
    if (e->param[k] && level_of(e, k) == e->nloop)
      sb_printf(&e->body, "G_CUDA_EW_PACK(<%%%s%%>, <%%p%d%%>, "
                "<%%%s + %s%%>)m4_dnl\n", dtype_info(e->n->in[k]->dtype)->c, k,
                e->param[k], index_text(e, k));
  sb_printf(&e->body, "G_CUDA_EW_OPEN(<%%%s%%>)m4_dnl\n", c);
}

bool ew_takes(Node *n)
{
  return n->op && n->nin <= MAX_IN && n->nout > 0 && n->out[0] && ew_chain(n);
}

void lower_ew_grid(Plan *p, Node *n)
{
  Ew e = { .p = p, .n = n, .c = ew_chain(n), .rank = n->out[0]->rank };
  const Dim *count = value_numel(n->out[0]);
  e.s = device_step(p, n, "CUDA_EW");
  sb_init(&e.head, p->a);
  sb_init(&e.body, p->a);
  make_params(&e);
  make_loops(&e);
  e.pack = pack_of(&e);
  put_indices(&e);
  for (int g = 0; g < e.nloop; g++)
    make_operands(&e, g);
  if (e.pack > 1)
    open_pack(&e);
  make_operands(&e, e.nloop);
  for (int k = 0; k < e.c->n; k++)
    put_step(&e, k);
  if (e.pack > 1)
    sb_printf(&e.body, "G_CUDA_EW_CLOSE(<%%%s%%>, <%%%s%%>)m4_dnl\n",
              dtype_info(n->out[0]->dtype)->c, index_text(&e, -1));
  step_int(e.s, "PACK", e.pack);
  step_dim(e.s, "COUNT", count);
  device_index(e.s, count);
  step_text(e.s, "HEAD", "%.*s", (int)e.head.n, e.head.s ? e.head.s : "");
  step_text(e.s, "BODY", "%.*s", (int)e.body.n, e.body.s);
  e.s->kernel_note = "cuda elementwise";
  allow_in_place(&e);
  sb_free(&e.head);
  sb_free(&e.body);
}

bool ew_follows(Node *n, const Value *v)
{
  Ew e = { .n = n };
  if (!ew_takes(n) || n->out[0]->dtype != v->dtype ||
      !value_same_shape(n->out[0], v))
    return false;
  e.c = ew_chain(n);
  for (int k = 0; k < n->nin; k++)
    if (n->in[k] && n->in[k] != v && !is_literal(&e, k))
      return false;
  return true;
}

void ew_put_then(Step *s, Node *n)
{
  Ew e = { .p = s->plan, .s = s, .n = n, .c = ew_chain(n), .pack = 1,
           .follows = true };
  sb_init(&e.body, s->plan->a);
  for (int k = 0; k < n->nin; k++)
    if (n->in[k])
      e.ref[k] = n->in[k]->data ? literal_text(&e, n->in[k]->data) : "sum";
  for (int k = 0; k < e.c->n; k++)
    put_step(&e, k);
  step_text(s, "THEN", "%.*s", (int)e.body.n, e.body.s);
  sb_free(&e.body);
}

bool lower_elementwise(Plan *p, Node *n)
{
  if (!ew_takes(n))
    return false;
  Ew e = { .p = p, .n = n, .c = ew_chain(n), .rank = n->out[0]->rank };
  e.s = step_new(p, n, "EW");
  e.s->kernel_note = "elementwise";
  step_kernel(e.s, "ew.h");
  sb_init(&e.head, p->a);
  sb_init(&e.body, p->a);
  make_params(&e);
  make_loops(&e);
  put_loops(&e);
  step_text(e.s, "BODY", "%.*s%.*s", (int)e.head.n, e.head.s ? e.head.s : "",
            (int)e.body.n, e.body.s);
  allow_in_place(&e);
  halo_put_border(e.s, "y", n->out[0]);
  sb_free(&e.head);
  sb_free(&e.body);
  return true;
}
