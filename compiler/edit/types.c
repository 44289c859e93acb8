/* SPDX-License-Identifier: Apache-2.0 */
/* Types: as text, as the file declares them, and by the IR's inference. */
#include "edit.h"
#include <string.h>

Model *edit_infer(Edit *e)
{
  if (e->now) return e->now;
  Model *m = import_message(e->m->opt, e->m->path, e->pb, e->mp);
  e->typed = arena_grow(e->a, e->typed, e->ntyped, sizeof *e->typed);
  e->typed[e->ntyped++] = m;
  if (MODEL_EDGE(m)) {
    m->arena.panic = NULL;
    return e->now = m;
  }
  if (!m->nerror) {
    schema_check(m->main);
    infer_graph(m->main);
  }
  m->arena.panic = NULL;
  return e->now = m;
}

static const Value *find_value(const Graph *g, const char *name)
{
  for (int i = 0; i < g->nin; i++)
    if (!strcmp(g->in[i]->name, name)) return g->in[i];
  for (int i = 0; i < g->nout; i++)
    if (g->out_name[i] && !strcmp(g->out_name[i], name)) return g->out[i];
  for (const Node *n = g->first; n; n = n->next) {
    for (int i = 0; i < n->nout; i++)
      if (n->out[i] && !strcmp(n->out[i]->name, name)) return n->out[i];
    for (int i = 0; i < n->nin; i++)
      if (n->in[i] && !strcmp(n->in[i]->name, name)) return n->in[i];
  }
  return NULL;
}

/* A symbol of the model keeps its name; other sizes become unknown ones. */
static const char *dim_word(Model *m, const Dim *d)
{
  int64_t v;
  if (!d) return "?";
  if (dim_is_int(d, &v)) return arena_printf(&m->arena, "%lld", (long long)v);
  int s = dim_symbol(d);
  if (s < 0 || m->dims.sym[s].kind != SYM_ARG || m->dims.sym[s].made)
    return "?";
  return m->dims.sym[s].name;
}

static ValueInfoProto *inferred(Edit *e, const char *name)
{
  Model *m = edit_infer(e);
  const Value *v = find_value(m->main, name);
  if (!v || v->dtype == DT_NONE || v->kind != VK_TENSOR) return NULL;
  const char *dim[MAX_RANK];
  for (int k = 0; k < v->rank; k++) dim[k] = dim_word(m, v->dim[k]);
  return edit_info(e, name, v->dtype, v->rank, dim);
}

ValueInfoProto *edit_value_info(Edit *e, const char *name)
{
  Body *b = edit_main(e);
  ValueInfoProto *v = body_info(b, name);
  if (v && v->type) {
    v = edit_clone(e, v);
    return v;
  }
  Named *t = index_get(body_index(e, b), name);
  if (t && t->init && !t->sparse) {
    size_t n;
    const int64_t *d = msg_ints(e, t->init, FIELD_T_DIMS, &n);
    const char *dim[MAX_RANK] = {NULL};
    for (size_t k = 0; k < n && k < MAX_RANK; k++)
      dim[k] = arena_printf(e->a, "%lld", (long long)d[k]);
    return edit_info(e, name, (Dtype)t->init->data_type, (int)n, dim);
  }
  return inferred(e, name);
}

Dtype dtype_parse(const char *s, size_t n)
{
  for (int t = 1; t < DT_COUNT; t++) {
    const char *name = dtype_info((Dtype)t)->onnx;
    if (strlen(name) == n && !memcmp(name, s, n)) return (Dtype)t;
  }
  return dtype_by_name(s, n);
}

ValueInfoProto *edit_parse_type(Edit *e, const char *name, const char *text)
{
  size_t n = strcspn(text, "[");
  Dtype t = dtype_parse(text, n);
  size_t len = strlen(text);
  if (t == DT_NONE || (text[n] && text[len - 1] != ']')) {
    edit_fail(e, EXIT_USAGE, "%s is no type: write float[N,3,224,224], or "
              "float if the rank is not known", Q(e, text));
    return NULL;
  }
  if (!text[n]) return edit_info(e, name, t, -1, NULL);
  int rank;
  const char **dim =
    edit_split(e, arena_strn(e->a, text + n + 1, len - n - 2), ',', &rank);
  return edit_info(e, name, t, rank, dim);
}
