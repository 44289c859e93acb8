/* SPDX-License-Identifier: Apache-2.0 */
/* float16: a float32 model computes in halves.
 *
 * Each float32 value has one form that its maker gives, half or single, and
 * the other one by a Cast as soon as something asks for it. A node computes in
 * halves where its version allows them and nobody keeps it from it; ports that
 * are float32 by definition (scales of Resize) stay so. Bodies follow the same
 * rules, and what goes in and out of them is half. Inputs and outputs of the
 * model stay float32, unless `io` is asked for.
 *
 * Numbers above 65504 become 65504, infinities stay; what is not 0 stays
 * above 0, so that an epsilon of 1e-12 still keeps a divisor from being 0. */
#include "steps.h"
#include <math.h>
#include <string.h>

#define MOST 65504.0
#define LEAST 5.9604644775390625e-8 /* 2^-24 */

typedef struct {
  char *name[2];         /* single, half; NULL: not there */
  TensorProto *init;     /* its data, if it is an initializer */
  bool asked;            /* an initializer as it was is read */
} Form;
typedef struct Level {
  struct Level *outer;
  GraphProto *g;
  Map form;              /* name of the file -> Form; float32 values only */
  NodeProto **node;      /* the graph's nodes, as they become */
  size_t n_node;
} Level;
typedef struct {
  Edit *e;
  Look look;
  const EditStep *s;
  bool io, quantised;
  Map own;               /* operators that are functions of the model */
  Map was;               /* half of an initializer -> the name it gets */
  Form **late;           /* outputs of the model whose node is in work */
  int nlate, halved, kept, clamped;
} Half;

/* --- Numbers -------------------------------------------------------------- */

static double to_range(Half *h, double v)
{
  double a = fabs(v);
  if (isnan(v) || isinf(v) || a == 0) return v;
  if (a > MOST || a < LEAST) h->clamped++;
  if (a > MOST) return v < 0 ? -MOST : MOST;
  return a >= LEAST ? v : v < 0 ? -LEAST : LEAST;
}

static TensorProto *halve(Half *h, const TensorProto *t, const char *name)
{
  Edit *e = h->e;
  const Tensor *x = tensor_read(e, t);
  if (!x) return NULL;
  Tensor *y = tensor_new(e->a, DT_F16, x->rank, x->dim);
  for (int64_t i = 0; i < x->n; i++) {
    float v;
    memcpy(&v, (const char *)x->data + (size_t)i * sizeof v, sizeof v);
    tensor_set_f64(y, i, to_range(h, (double)v));
  }
  Str raw = {y->data, (size_t)y->n * 2};
  TensorProto *r = tensor_make(e, name, DT_F16, x->rank, x->dim, "", 0);
  msg_set_place(e, r, FIELD_T_RAW, raw);
  return r;
}

/* --- Forms ---------------------------------------------------------------- */

static Form *form_of(const Level *s, const char *name, const Level **owner)
{
  Form *f = NULL;
  for (; s && !f; s = s->outer) {
    f = map_get(&s->form, name, strlen(name));
    if (f && owner) *owner = s;
  }
  return f;
}

static Form *form_new(Half *h, Level *s, const char *name, bool half)
{
  Form *f = NEW(h->e->a, Form, 1);
  f->name[half] = edit_str(h->e, name);
  *map_at(&s->form, name, strlen(name)) = f;
  return f;
}

static void add_cast(Half *h, Level *s, const char *from, const char *to,
                     Dtype t)
{
  NodeProto *n = edit_node(h->e, "Cast", "");
  node_add_input(h->e, n, from);
  node_add_output(h->e, n, to);
  node_attr_int(h->e, n, "to", t);
  LIST_ADD(h->e, s, node, n);
}

/* The name by which the value is half, or single. */
static char *want(Half *h, const Level *s, const char *name, bool half)
{
  Edit *e = h->e;
  const Level *at = NULL;
  Form *f = form_of(s, name, &at);
  Level *owner = (Level *)(uintptr_t)at;
  if (f->init && !half) f->asked = true;
  if (f->name[half]) return f->name[half];
  f->name[half] = edit_str(e, edit_fresh(e, arena_printf(e->a, "%s_%s", name,
                                                         half ? "f16"
                                                              : "f32")));
  if (f->init && half) {
    TensorProto *t = halve(h, f->init, f->name[1]);
    if (t) LIST_ADD(e, owner->g, initializer, t);
    *map_at(&h->was, f->name[1], strlen(f->name[1])) = f;
    return f->name[half];
  }
  add_cast(h, owner, f->name[!half], f->name[half], half ? DT_F16 : DT_F32);
  return f->name[half];
}

/* --- What a node may do --------------------------------------------------- */

static bool is_half_op(Half *h, const NodeProto *n)
{
  static const char *const single[] = {
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"
  };
  for (int i = 0; i < COUNT(single); i++)
    if (!strcmp(n->op_type, single[i])) {
      h->quantised = true;
      return false;
    }
  for (int i = 0; i < h->s->n; i++) {
    int count;
    const char *arg = h->s->arg[i];
    if (strncmp(arg, "keep=", 5) != 0) continue;
    const char **word = edit_split(h->e, arg + 5, ',', &count);
    for (int k = 0; k < count; k++)
      if (edit_match(word[k], n->op_type) ||
          (n->name && *n->name && edit_match(word[k], n->name)))
        return false;
  }
  return !map_get(&h->own, n->op_type, strlen(n->op_type));
}

static const OpRow *row_of(Half *h, const NodeProto *n, const OpDef **op)
{
  const char *domain = domain_name(n->domain);
  int64_t version = edit_opset(h->e, edit_main(h->e), domain);
  *op = op_find(domain, n->op_type);
  if (!*op || version < 1 || version > INT32_MAX) return NULL;
  return op_row(*op, (int)version);
}

static bool halves(const OpDef *op, const OpRow *row, bool out, size_t i,
                   Str *type)
{
  return schema_port(op, row, out, (int)i, type) & DT_BIT(DT_F16);
}

/* --- Nodes ---------------------------------------------------------------- */

static bool is_output(const GraphProto *g, const char *name)
{
  for (size_t i = 0; i < g->n_output; i++)
    if (!strcmp(g->output[i]->name, name)) return true;
  return false;
}

/* An output of the node is made in this form. One of the model keeps its name
 * for the single form, and gets its Cast behind the node. */
static void make(Half *h, Level *s, NodeProto *n, size_t i, bool half)
{
  Edit *e = h->e;
  char *name = n->output[i];
  Form *f = form_new(h, s, name, half);
  if (!half || s->outer || h->io || !is_output(s->g, name)) return;
  f->name[0] = name;
  f->name[1] = edit_str(e, edit_fresh(e, arena_printf(e->a, "%s_f16", name)));
  n->output[i] = f->name[1];
  h->late = arena_grow(e->a, h->late, h->nlate, sizeof *h->late);
  h->late[h->nlate++] = f;
}

static void put_node(Half *h, Level *s, NodeProto *n)
{
  LIST_ADD(h->e, s, node, n);
  for (int i = 0; i < h->nlate; i++)
    add_cast(h, s, h->late[i]->name[1], h->late[i]->name[0], DT_F32);
  h->nlate = 0;
}

static bool is_f32(Half *h, const char *name)
{
  return *name && look_type(&h->look, name) == DT_F32;
}

static void keep_node(Half *h, Level *s, NodeProto *n)
{
  for (size_t i = 0; i < n->n_input; i++)
    if (*n->input[i] && form_of(s, n->input[i], NULL))
      n->input[i] = want(h, s, n->input[i], false);
  for (size_t i = 0; i < n->n_output; i++)
    if (is_f32(h, n->output[i])) make(h, s, n, i, false);
}

/* An output whose type an attribute tells, or a like of an input. */
static bool typed_output(Half *h, NodeProto *n, bool like)
{
  static const struct { const char *op, *attr; bool must; } row[] = {
    {"Cast", "to", true}, {"RandomNormal", "dtype", true},
    {"RandomUniform", "dtype", true}, {"RandomNormalLike", "dtype", false},
    {"RandomUniformLike", "dtype", false}, {"EyeLike", "dtype", false},
    {"Bernoulli", "dtype", false},
  };
  Edit *e = h->e;
  AttributeProto *value = node_attr(n, "value");
  for (int i = 0; i < COUNT(row); i++) {
    if (strcmp(n->op_type, row[i].op) != 0) continue;
    if (!node_attr(n, row[i].attr) && !row[i].must) return like;
    node_attr_int(e, n, row[i].attr, DT_F16);
    return true;
  }
  if (!strcmp(n->op_type, "ConstantOfShape") && !value) {
    int64_t one = 1;
    node_attr_tensor(e, n, "value", tensor_make(e, "value", DT_F16, 1, &one,
                                                "\0", 2));
    return true;
  }
  if ((strcmp(n->op_type, "ConstantOfShape") &&
       strcmp(n->op_type, "Constant")) || !value || !value->t)
    return false;
  TensorProto *t = halve(h, value->t, "value");
  if (t) node_attr_tensor(e, n, "value", t);
  return t != NULL;
}

#define PORTS 64 /* type variables of a node that are compared */

static void half_node(Half *h, Level *s, NodeProto *n, const OpDef *op,
                      const OpRow *row)
{
  Str var[PORTS], type;
  int nvar = 0;
  for (size_t i = 0; i < n->n_input; i++) {
    if (!*n->input[i] || !form_of(s, n->input[i], NULL)) continue;
    bool half = halves(op, row, false, i, &type);
    n->input[i] = want(h, s, n->input[i], half);
    if (half && nvar < PORTS) var[nvar++] = type;
  }
  for (size_t i = 0; i < n->n_output; i++) {
    if (!is_f32(h, n->output[i])) continue;
    bool half = halves(op, row, true, i, &type), bound = false;
    for (int k = 0; k < nvar; k++)
      bound |= var[k].n == type.n && !memcmp(var[k].p, type.p, type.n);
    make(h, s, n, i, half && (bound || typed_output(h, n, nvar > 0)));
  }
  h->halved++;
}

/* Has the version halves for anything that is float32 here? */
static bool can_halve(Half *h, const Level *s, const NodeProto *n,
                      const OpDef *op, const OpRow *row)
{
  Str type;
  bool any = false;
  if (!row) return false;
  for (size_t i = 0; i < n->n_input; i++)
    if (*n->input[i] && form_of(s, n->input[i], NULL))
      any |= halves(op, row, false, i, &type);
  for (size_t i = 0; i < n->n_output; i++) {
    if (!is_f32(h, n->output[i])) continue;
    if (!halves(op, row, true, i, &type)) continue;
    any = true;
  }
  return any;
}

static bool has_f32(Half *h, const Level *s, const NodeProto *n)
{
  for (size_t i = 0; i < n->n_input; i++)
    if (*n->input[i] && form_of(s, n->input[i], NULL)) return true;
  for (size_t i = 0; i < n->n_output; i++)
    if (is_f32(h, n->output[i])) return true;
  return false;
}

/* --- Graphs --------------------------------------------------------------- */

static void half_graph(Half *h, Level *s, bool single);

/* If, Loop, Scan: what goes in and out of the bodies is of one form. */
static void half_control(Half *h, Level *s, NodeProto *n, GraphProto **g,
                         int count, bool single)
{
  for (size_t i = 0; i < n->n_input; i++)
    if (*n->input[i] && form_of(s, n->input[i], NULL))
      n->input[i] = want(h, s, n->input[i], !single);
  for (int k = 0; k < count; k++) {
    Level inner = {.outer = s, .g = g[k]};
    half_graph(h, &inner, single);
  }
  for (size_t i = 0; i < n->n_output; i++)
    if (is_f32(h, n->output[i])) make(h, s, n, i, !single);
}

static void half_one(Half *h, Level *s, NodeProto *n, bool single)
{
  GraphProto **g;
  const OpDef *op;
  const OpRow *row = row_of(h, n, &op);
  int count = node_graphs(h->e, n, &g);
  single |= !is_half_op(h, n);
  if (count) half_control(h, s, n, g, count, single);
  else if (!single && can_halve(h, s, n, op, row)) half_node(h, s, n, op, row);
  else {
    h->kept += has_f32(h, s, n);
    keep_node(h, s, n);
  }
  put_node(h, s, n);
}

static void set_type(ValueInfoProto *v, Dtype t)
{
  if (v->type && v->type->value_case ==
                   ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
      v->type->tensor_type->elem_type == DT_F32)
    v->type->tensor_type->elem_type = (int32_t)t;
}

static void half_ports(Half *h, Level *s, bool half)
{
  GraphProto *g = s->g;
  map_init(&s->form, h->e->a);
  for (size_t i = 0; i < g->n_initializer; i++)
    if (g->initializer[i]->data_type == DT_F32) {
      const char *name = g->initializer[i]->name;
      form_new(h, s, name, false)->init = g->initializer[i];
    }
  for (size_t i = 0; i < g->n_input; i++) {
    const char *name = g->input[i]->name;
    const Form *f = map_get(&s->form, name, strlen(name));
    if (f || !is_f32(h, name)) continue; /* ONNX IR-3: an initializer */
    form_new(h, s, name, half);
    if (half) set_type(g->input[i], DT_F16);
  }
}

/* Initializers that nothing reads as they were give way to their halves. */
static void drop_initializers(Half *h, Level *s)
{
  GraphProto *g = s->g;
  size_t k = 0;
  for (size_t i = 0; i < g->n_initializer; i++) {
    TensorProto *t = g->initializer[i];
    Form *f = map_get(&s->form, t->name, strlen(t->name));
    bool gone = f && f->init == t && f->name[1] && !f->asked &&
                !is_output(g, t->name);
    if (!gone) g->initializer[k++] = t;
  }
  g->n_initializer = k;
  for (size_t i = 0; i < k; i++) {
    TensorProto *t = g->initializer[i];
    const Form *f = map_get(&h->was, t->name, strlen(t->name));
    if (f && !f->asked && !is_output(g, f->name[0])) t->name = f->name[0];
  }
}

static void half_graph(Half *h, Level *s, bool single)
{
  GraphProto *g = s->g;
  bool body = s->outer != NULL, half = !single && (body || h->io);
  half_ports(h, s, half);
  for (size_t i = 0; i < g->n_node; i++) half_one(h, s, g->node[i], single);
  for (size_t i = 0; i < g->n_output; i++) {
    char *name = g->output[i]->name;
    if (!form_of(s, name, NULL)) continue;
    g->output[i]->name = want(h, s, name, half);
    if (half) set_type(g->output[i], DT_F16);
  }
  g->node = s->node;
  g->n_node = s->n_node;
  for (size_t i = 0; i < g->n_value_info; i++) {
    const char *name = g->value_info[i]->name;
    const Form *f = map_get(&s->form, name, strlen(name));
    if (f && f->name[1] && !strcmp(f->name[1], name))
      set_type(g->value_info[i], DT_F16);
  }
  drop_initializers(h, s);
}

/* --- The whole model ------------------------------------------------------ */

/* Of Constant and ConstantOfShape. */
static int constant_type(const NodeProto *n)
{
  const AttributeProto *a = node_attr(n, "value");
  if (a && a->t) return a->t->data_type;
  if (node_attr(n, "value_int") || node_attr(n, "value_ints")) return DT_I64;
  if (node_attr(n, "value_string") || node_attr(n, "value_strings"))
    return DT_STR;
  a = node_attr(n, "sparse_value");
  if (a && a->sparse_tensor && a->sparse_tensor->values)
    return a->sparse_tensor->values->data_type;
  return DT_F32;
}

/* A branch that is never taken is not inferred: the type variables of the
 * operator tell most types. -1: they don't. */
static int guess(Half *h, const NodeProto *n, size_t out)
{
  const OpDef *op;
  const OpRow *row = row_of(h, n, &op);
  GraphProto **g;
  Str var, type;
  const AttributeProto *to = node_attr(n, "to");
  if (!row) return -1;
  if (!strncmp(n->op_type, "Constant", 8)) return constant_type(n);
  if (node_graphs(h->e, n, &g)) {
    /* ONNX Loop-1: a body gives a condition first. */
    size_t at = out + !strcmp(n->op_type, "Loop");
    return at < g[0]->n_output ? look_type(&h->look, g[0]->output[at]->name)
                               : -1;
  }
  TypeSet set = schema_port(op, row, true, (int)out, &var);
  if (!strcmp(n->op_type, "Cast") && to) return (int)to->i;
  for (size_t i = 0; i < n->n_input; i++)
    if (*n->input[i] && schema_port(op, row, false, (int)i, &type) &&
        type.n == var.n && !memcmp(type.p, var.p, var.n))
      return look_type(&h->look, n->input[i]);
  for (int t = 1; t < DT_COUNT; t++)
    if (set == DT_BIT(t)) return t;
  return -1;
}

static bool type_known(Half *h, const NodeProto *n, size_t out)
{
  const char *name = n->output[out];
  if (!*name || look_type(&h->look, name) >= 0) return true;
  int t = guess(h, n, out);
  if (t > 0) *map_at(&h->look.type, name, strlen(name)) = (void *)(intptr_t)t;
  return t > 0;
}

/* Outputs whose type is not known; *first is one of them. */
static int unknown_types(Half *h, const NodeProto **first, size_t *out)
{
  int n, count = 0;
  Body *all = edit_bodies(h->e, &n);
  for (int i = 0; i < n; i++)
    for (size_t k = 0; all[i].g && k < all[i].g->n_node; k++) {
      const NodeProto *np = all[i].g->node[k];
      for (size_t o = 0; o < np->n_output; o++) {
        if (type_known(h, np, o)) continue;
        *first = np;
        *out = o;
        count++;
      }
    }
  return count;
}

/* Every value's type has to be known, or forms would not fit. What a body gives
 * is known after the node that holds it was asked, so there are rounds. */
static bool types_known(Half *h)
{
  Edit *e = h->e;
  const NodeProto *np = NULL;
  size_t out = 0;
  int n = unknown_types(h, &np, &out);
  for (int was = n + 1; n && n < was;) {
    was = n;
    n = unknown_types(h, &np, &out);
  }
  return !n ||
         edit_fail(e, EXIT_UNSUPPORTED, "the type of %s is not known, so it "
                   "can't be told what is float32; declare it in value_info, "
                   "or use float16:weights (%s)", Q(e, np->output[out]),
                   look_why(e, &h->look));
}

/* Halves of initializers that took the old name. */
static void settle_names(Half *h)
{
  GraphProto *g = h->e->mp->graph;
  Map to;
  map_init(&to, h->e->a);
  for (int i = 0; i < h->was.n; i++) {
    const Form *f = h->was.slot[i].value;
    if (!f->asked) *map_at(&to, f->name[1], strlen(f->name[1])) = f->name[0];
  }
  names_redirect(h->e, g->node, g->n_node, &to);
}

static bool whole(Half *h)
{
  Edit *e = h->e;
  Level top = {.g = e->mp->graph};
  look_open(e, e->mp, &h->look);
  bool ok = types_known(h);
  if (ok) half_graph(h, &top, false);
  look_close(&h->look);
  if (!ok) return false;
  settle_names(h);
  if (h->clamped)
    edit_warn(e, "%d numbers are beyond what halves hold (65504 and 6e-8), and "
              "were moved there", h->clamped);
  if (h->quantised)
    edit_warn(e, "the model is quantised: halves may move what is quantised "
              "by a step, and gain little; compare its answers");
  edit_note(e, "%d nodes compute in halves, %d in float32", h->halved,
            h->kept);
  return true;
}

/* --- Weights only --------------------------------------------------------- */

#define WORTH 128 /* elements */

/* The tensor in halves; NULL: it is small, no float32, or does not fit. */
static TensorProto *stored(Half *h, TensorProto *t, const char *name)
{
  if (t->data_type != DT_F32) return NULL;
  const Tensor *x = tensor_read(h->e, t);
  if (!x || x->n < WORTH) return NULL;
  for (int64_t i = 0; i < x->n; i++) {
    float v;
    memcpy(&v, (const char *)x->data + (size_t)i * sizeof v, sizeof v);
    if (isfinite(v) && fabs((double)v) > MOST) return NULL;
  }
  return halve(h, t, name);
}

static void store_weights(Half *h, GraphProto *g)
{
  Edit *e = h->e;
  GraphProto **inner;
  Level s = {.g = g};
  for (size_t i = 0; i < g->n_initializer; i++) {
    const char *name = g->initializer[i]->name;
    bool input = false;
    for (size_t k = 0; k < g->n_input; k++)
      input |= !strcmp(g->input[k]->name, name);
    if (input || is_output(g, name)) continue;
    const char *as = edit_fresh(e, arena_printf(e->a, "%s_f16", name));
    TensorProto *t = stored(h, g->initializer[i], as);
    if (!t) continue;
    g->initializer[i] = t;
    add_cast(h, &s, as, name, DT_F32);
    h->halved++;
  }
  for (size_t i = 0; i < g->n_node; i++) {
    int n = node_graphs(e, g->node[i], &inner);
    while (n--) store_weights(h, inner[n]);
    LIST_ADD(e, &s, node, g->node[i]);
  }
  g->node = s.node;
  g->n_node = s.n_node;
}

bool step_float16(Edit *e, const EditStep *s)
{
  Half h = {.e = e, .s = s};
  bool weights = false;
  for (int i = 0; i < s->n; i++) {
    if (!strcmp(s->arg[i], "io")) h.io = true;
    else if (!strcmp(s->arg[i], "weights")) weights = true;
    else if (strncmp(s->arg[i], "keep=", 5) != 0)
      return edit_fail(e, EXIT_USAGE, "%s is none of io, weights and keep=",
                       Q(e, s->arg[i]));
  }
  map_init(&h.own, e->a);
  map_init(&h.was, e->a);
  names_fill(e);
  for (size_t i = 0; i < e->mp->n_functions; i++) {
    const char *name = e->mp->functions[i]->name;
    *map_at(&h.own, name, strlen(name)) = e;
  }
  if (!weights) return whole(&h);
  store_weights(&h, e->mp->graph);
  if (!h.halved)
    edit_warn(e, "there are no float32 weights of %d elements and more", WORTH);
  edit_note(e, "%d tensors are stored in halves", h.halved);
  return true;
}
