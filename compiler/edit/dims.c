/* SPDX-License-Identifier: Apache-2.0 */
/* infer and set-dim: shapes of the file.
 *
 * infer writes what our inference knows of the main graph's values: numbers,
 * the model's names of sizes, and sums and products of them as text ("2*N"). A
 * size that has no name stays without one. Where the file says otherwise, what
 * is inferred wins; a name of the file for a size that is known by no number
 * stays.
 *
 * set-dim changes a size of an input. A name that was there before changes
 * everywhere. What the file claims of other shapes may then be wrong, so it is
 * dropped and inferred anew. Constants that hold the size are not touched. */
#include "steps.h"
#include <string.h>

typedef Onnx__TensorShapeProto Shape;
typedef Onnx__TensorShapeProto__Dimension DimProto;
#define CASE(x) ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_##x

/* --- infer ---------------------------------------------------------------- */

/* "" for a size that only our own names tell of. */
static const char *dim_word(Edit *e, DimPool *p, const Dim *d)
{
  int64_t v;
  if (dim_is_int(d, &v)) return arena_printf(e->a, "%lld", (long long)v);
  for (int s = 0; s < p->nsym; s++)
    if ((p->sym[s].made || p->sym[s].kind == SYM_CAPACITY) &&
        dim_has(p, d, s))
      return "";
  int s = dim_symbol(d);
  if (s >= 0 && p->sym[s].kind == SYM_ARG)
    return edit_str(e, p->sym[s].name);
  return edit_str(e, dim_text(p, d));
}

static Shape *shape_of(const ValueInfoProto *v)
{
  return v && v->type && v->type->value_case ==
           ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? v->type->tensor_type->shape
                                               : NULL;
}

/* Names that the file gives to sizes which are no numbers. */
static void keep_names(Shape *to, const Shape *was)
{
  for (size_t k = 0; was && to && was->n_dim == to->n_dim && k < to->n_dim; k++)
    if (to->dim[k]->value_case != CASE(DIM_VALUE) &&
        was->dim[k]->value_case == CASE(DIM_PARAM))
      to->dim[k] = was->dim[k];
}

static ValueInfoProto *info_of(Edit *e, const Look *l, const char *name)
{
  const Value *v = look_at(l, name);
  const char *dim[MAX_RANK];
  if (!v || v->kind != VK_TENSOR || !v->dtype || v->rank < 0) return NULL;
  for (int k = 0; k < v->rank; k++)
    dim[k] = dim_word(e, &l->m->dims, v->dim[k]);
  return edit_info(e, name, v->dtype, v->rank, dim);
}

static bool write_info(Edit *e, const Look *l, ValueInfoProto *v)
{
  ValueInfoProto *x = info_of(e, l, v->name);
  if (!x) return false;
  keep_names(shape_of(x), shape_of(v));
  v->type = x->type;
  return true;
}

static void put(Edit *e, Map *m, const char *name)
{
  *map_at(m, name, strlen(name)) = e;
}

static void write_infos(Edit *e, const Look *l)
{
  GraphProto *g = e->mp->graph;
  Map has;
  map_init(&has, e->a);
  for (size_t i = 0; i < g->n_input; i++) put(e, &has, g->input[i]->name);
  for (size_t i = 0; i < g->n_output; i++) {
    put(e, &has, g->output[i]->name);
    write_info(e, l, g->output[i]);
  }
  for (size_t i = 0; i < g->n_value_info; i++) {
    put(e, &has, g->value_info[i]->name);
    write_info(e, l, g->value_info[i]);
  }
  for (size_t i = 0; i < g->n_node; i++)
    for (size_t k = 0; k < g->node[i]->n_output; k++) {
      const char *name = g->node[i]->output[k];
      if (!*name || map_get(&has, name, strlen(name))) continue;
      ValueInfoProto *v = info_of(e, l, name);
      if (v) LIST_ADD(e, g, value_info, v);
    }
}

bool step_infer(Edit *e, const EditStep *s)
{
  Look l;
  (void)s;
  names_fill(e);
  if (!look_open(e, e->mp, &l)) {
    const char *why = look_why(e, &l);
    look_close(&l);
    return edit_fail(e, EXIT_MODEL, "the model can't be inferred: %s", why);
  }
  if (l.m->nerror)
    edit_warn(e, "not all is known: %s", look_why(e, &l));
  write_infos(e, &l);
  look_close(&l);
  return true;
}

/* --- set-dim -------------------------------------------------------------- */

static void set(Edit *e, DimProto *d, const char *value)
{
  if (edit_int(value, &d->dim_value)) {
    d->value_case = CASE(DIM_VALUE);
  } else {
    d->value_case = CASE(DIM_PARAM);
    d->dim_param = edit_str(e, value);
  }
}

static void set_named(Edit *e, ValueInfoProto **v, size_t n, const char *name,
                      const char *value)
{
  for (size_t i = 0; i < n; i++) {
    Shape *s = shape_of(v[i]);
    for (size_t k = 0; s && k < s->n_dim; k++)
      if (s->dim[k]->value_case == CASE(DIM_PARAM) &&
          s->dim[k]->dim_param && !strcmp(s->dim[k]->dim_param, name))
        set(e, s->dim[k], value);
  }
}

static void set_everywhere(Edit *e, const char *name, const char *value)
{
  GraphProto *g = e->mp->graph;
  set_named(e, g->input, g->n_input, name, value);
  set_named(e, g->output, g->n_output, name, value);
  set_named(e, g->value_info, g->n_value_info, name, value);
}

/* The size that "x:0=N" is about: of input x, which may hold ':' and '='. */
static DimProto *find(Edit *e, const char *word, const char **value)
{
  GraphProto *g = e->mp->graph;
  const char *eq = strrchr(word, '='), *colon = eq;
  int64_t axis;
  while (colon && colon > word && *colon != ':') colon--;
  if (!eq || !eq[1] || *colon != ':' ||
      !edit_int(arena_strn(e->a, colon + 1, (size_t)(eq - colon - 1)), &axis)) {
    edit_fail(e, EXIT_USAGE, "%s is not INPUT:AXIS=SIZE, as in images:0=N or "
              "images:0=4", Q(e, word));
    return NULL;
  }
  *value = eq + 1;
  const char *name = arena_strn(e->a, word, (size_t)(colon - word));
  const char *names = "";
  for (size_t i = 0; i < g->n_input; i++) {
    Shape *s = shape_of(g->input[i]);
    names = arena_printf(e->a, "%s%s%s", names, i ? ", " : "",
                         Q(e, g->input[i]->name));
    if (strcmp(g->input[i]->name, name) != 0) continue;
    if (axis < 0 && s) axis += (int64_t)s->n_dim;
    if (s && axis >= 0 && axis < (int64_t)s->n_dim) return s->dim[axis];
    edit_fail(e, EXIT_USAGE, "input %s has %zu axes, and no axis %lld",
              Q(e, name), s ? s->n_dim : 0, (long long)axis);
    return NULL;
  }
  edit_fail(e, EXIT_USAGE, "there is no input %s; the inputs are: %s",
            Q(e, name), names);
  return NULL;
}

/* Shapes of outputs and values were those of the old size. */
static void infer_anew(Edit *e)
{
  GraphProto *g = e->mp->graph;
  Look l;
  bool had = g->n_value_info > 0;
  for (size_t i = 0; i < g->n_output; i++) {
    Shape *s = shape_of(g->output[i]);
    if (s) g->output[i]->type->tensor_type->shape = NULL;
  }
  g->n_value_info = 0;
  look_open(e, e->mp, &l);
  if (l.m->nerror)
    edit_warn(e, "the model does not work with this size as it is: %s; "
              "set-initializer changes constants that hold the old size, and "
              "set-batch those of a batch of 1",
              look_why(e, &l));
  if (l.fine && had) write_infos(e, &l);
  for (size_t i = 0; l.fine && i < g->n_output; i++)
    write_info(e, &l, g->output[i]);
  look_close(&l);
}

bool step_set_dim(Edit *e, const EditStep *s)
{
  names_fill(e);
  for (int i = 0; i < s->n; i++) {
    const char *value = NULL;
    DimProto *d = find(e, s->arg[i], &value);
    int64_t v;
    if (!d) return false;
    if (edit_int(value, &v) && v < 0)
      return edit_fail(e, EXIT_USAGE, "%s is no size; write a number or a name",
                       Q(e, value));
    if (d->value_case == CASE(DIM_PARAM) && d->dim_param && *d->dim_param)
      set_everywhere(e, edit_str(e, d->dim_param), value);
    set(e, d, value);
  }
  infer_anew(e);
  return true;
}
