/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs as text: for --dump-after, for tests, and shapes for messages. */
#include "ir.h"
#include <string.h>

static void print_shape(StrBuf *b, DimPool *p, int rank, const Dim *const *dim)
{
  if (rank < 0) {
    sb_puts(b, "[?]");
    return;
  }
  sb_puts(b, "[");
  for (int i = 0; i < rank; i++)
    sb_printf(b, "%s%s", i ? ", " : "", dim_text(p, dim[i]));
  sb_puts(b, "]");
}

const char *dims_text(DimPool *p, int rank, const Dim *const *dim)
{
  StrBuf b;
  sb_init(&b, &p->m->arena);
  print_shape(&b, p, rank, dim);
  const char *s = arena_strn(&p->m->arena, b.s, b.n);
  sb_free(&b);
  return s;
}

const char *value_shape_text(const Value *v)
{
  return dims_text(&v->g->m->dims, v->rank, (const Dim *const *)v->dim);
}

static void print_value(StrBuf *b, const Value *v)
{
  if (!v) {
    sb_puts(b, "-");
    return;
  }
  sb_printf(b, "%%%d", v->id);
}

static void print_typed(StrBuf *b, const Value *v)
{
  print_value(b, v);
  if (!v) return;
  sb_printf(b, ":%s", dtype_info(v->dtype)->name);
  print_shape(b, &v->g->m->dims, v->rank, (const Dim *const *)v->dim);
  if (v->bad) sb_puts(b, "!");
}

static void print_data(StrBuf *b, const Tensor *t)
{
  int64_t most = t->n < 8 ? t->n : 8;
  bool f = dtype_info(t->dtype)->cls == DC_FLOAT;
  DtypeClass c = dtype_info(t->dtype)->cls;
  if (c == DC_STR || c == DC_COMPLEX) return;
  sb_puts(b, "{");
  for (int64_t i = 0; i < most; i++) {
    if (i) sb_puts(b, ", ");
    if (f) sb_float(b, tensor_f64(t, i), t->dtype != DT_F64);
    else sb_printf(b, "%lld", (long long)tensor_i64(t, i));
  }
  sb_puts(b, most < t->n ? ", ..}" : "}");
}

const char *type_text(Arena *a, const Type *t)
{
  static const char *const word[] = {"tensor", "seq", "map", "optional",
                                     "sparse_tensor"};
  if (!t) return "?";
  const char *type = dtype_info(t->dtype)->onnx;
  if (t->kind == VK_TENSOR || t->kind == VK_SPARSE)
    return arena_printf(a, "%s(%s)", word[t->kind], type);
  const char *elem = type_text(a, t->elem);
  return t->kind == VK_MAP ? arena_printf(a, "map(%s,%s)", type, elem)
                           : arena_printf(a, "%s(%s)", word[t->kind], elem);
}

static void print_attr(StrBuf *b, Arena *arena, const Attr *a)
{
  const char *name = quote(arena, a->name);
  sb_printf(b, " %.*s=", (int)strlen(name) - 2, name + 1);
  switch (a->type) {
  case AT_INT: sb_printf(b, "%lld", (long long)a->i); break;
  case AT_FLOAT: sb_float(b, (double)a->f, true); break;
  case AT_STR: sb_puts(b, quote(arena, arena_strn(arena, a->s.p, a->s.n)));
    break;
  case AT_TENSOR: print_data(b, a->t); break;
  case AT_GRAPH: sb_puts(b, "graph"); break;
  case AT_INTS: case AT_FLOATS: case AT_STRS:
    sb_puts(b, "[");
    for (int i = 0; i < a->n; i++) {
      if (i) sb_puts(b, ", ");
      if (a->type == AT_INTS) sb_printf(b, "%lld", (long long)a->ints[i]);
      else if (a->type == AT_FLOATS) sb_float(b, (double)a->floats[i], true);
      else sb_puts(b, quote(arena, arena_strn(arena, a->strs[i].p,
                                              a->strs[i].n)));
    }
    sb_puts(b, "]");
    break;
  default: sb_puts(b, "?"); break;
  }
}

static void print_node(StrBuf *b, const Node *n)
{
  Arena *a = &n->g->m->arena;
  sb_puts(b, "  ");
  for (int i = 0; i < n->nout; i++) {
    if (i) sb_puts(b, ", ");
    print_typed(b, n->out[i]);
  }
  const char *op = quote(a, n->op_type);
  sb_printf(b, " = %s%s%.*s-%d(", n->domain, *n->domain ? "." : "",
            (int)strlen(op) - 2, op + 1, n->version);
  for (int i = 0; i < n->nin; i++) {
    if (i) sb_puts(b, ", ");
    print_value(b, n->in[i]);
    if (n->in[i] && n->in[i]->data && !n->in[i]->def) {
      print_shape(b, &n->g->m->dims, n->in[i]->rank,
                  (const Dim *const *)n->in[i]->dim);
      print_data(b, n->in[i]->data);
    }
  }
  sb_puts(b, ")");
  for (int i = 0; i < n->nattr; i++) print_attr(b, a, &n->attr[i]);
  if (n->fused) sb_puts(b, " fused");
  for (const Origin *o = n->origin; o; o = o->next)
    sb_printf(b, "%s%d %s", o == n->origin ? "  ; from " : ", ", o->index,
              quote(a, o->name));
  sb_puts(b, "\n");
}

static void print_ports(StrBuf *b, Value *const *v, const char **name, int n)
{
  for (int i = 0; i < n; i++) {
    if (i) sb_puts(b, ", ");
    sb_printf(b, "%s ", quote(&v[i]->g->m->arena, name[i]));
    print_typed(b, v[i]);
  }
}

void ir_print(StrBuf *b, const Graph *g)
{
  sb_printf(b, "graph %s (", quote(&g->m->arena, g->name));
  print_ports(b, g->in, g->in_name, g->nin);
  sb_puts(b, ") -> (");
  print_ports(b, g->out, g->out_name, g->nout);
  sb_puts(b, ") {\n");
  for (const Node *n = g->first; n; n = n->next) {
    print_node(b, n);
    for (int i = 0; i < n->nattr; i++)
      if (n->attr[i].type == AT_GRAPH && n->attr[i].g)
        ir_print(b, n->attr[i].g);
  }
  sb_puts(b, "}\n");
}
