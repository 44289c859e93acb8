/* SPDX-License-Identifier: Apache-2.0 */
/* What `onnx2c info` says of a model: ports, dimensions, operators. */
#include "ir.h"
#include <string.h>

typedef struct { const char *name; int n; int64_t weights; } OpCount;

/* Operators as the file has them, with the number of nodes. */
static OpCount *count_ops(const Graph *g, int *n)
{
  Arena *a = &g->m->arena;
  Map map;
  map_init(&map, a);
  for (const Node *x = g->first; x; x = x->next)
    for (const Origin *o = x->origin; o; o = o->next) {
      char *key = arena_printf(a, "%s-%d", o->op, o->version);
      int **at = (int **)map_at(&map, key, strlen(key));
      if (!*at) *at = NEW(a, int, 1);
      ++**at;
    }
  OpCount *ops = NEW(a, OpCount, map.n + 1);
  *n = map.n;
  for (int i = 0; i < map.n; i++) {
    ops[i].name = map.slot[i].key;
    ops[i].n = *(int *)map.slot[i].value;
  }
  return ops;
}

static int64_t weight_bytes(const Graph *g)
{
  int64_t sum = 0;
  bool *seen = NEW(&g->m->arena, bool, g->m->nvalue + 1);
  for (const Node *n = g->first; n; n = n->next)
    for (int i = 0; i < n->nin; i++) {
      const Value *v = n->in[i];
      if (!v || !v->data || seen[v->id]) continue;
      seen[v->id] = true;
      sum += v->data->n * dtype_info(v->dtype)->size;
    }
  return sum;
}

static int node_count(const Graph *g)
{
  int n = 0;
  for (const Node *x = g->first; x; x = x->next) n++;
  return n;
}

static void text_ports(StrBuf *b, const char *what, Value *const *v,
                       const char *const *name, int n)
{
  for (int i = 0; i < n; i++)
    sb_printf(b, "%s %s: %s %s\n", what, quote(&v[i]->g->m->arena, name[i]),
              dtype_info(v[i]->dtype)->onnx, value_shape_text(v[i]));
}

/* The symbols that the inputs have: what a caller gives. */
static bool is_argument(const Model *m, int sym)
{
  for (int i = 0; i < m->main->nin; i++)
    for (int k = 0; k < m->main->in[i]->rank; k++)
      if (dim_has(&m->dims, m->main->in[i]->dim[k], sym)) return true;
  return false;
}

static void info_text(StrBuf *b, Model *m)
{
  Graph *g = m->main;
  int n;
  OpCount *ops = count_ops(g, &n);
  sb_printf(b, "%s: IR version %lld, opset", quote(&m->arena, m->file),
            (long long)m->ir_version);
  for (int i = 0; i < m->nopset; i++)
    sb_printf(b, "%s %s%s%d", i ? "," : "",
              *m->opset[i].domain ? quote(&m->arena, m->opset[i].domain) : "",
              *m->opset[i].domain ? " " : "", m->opset[i].version);
  sb_puts(b, "\n");
  text_ports(b, "input ", g->in, (const char *const *)g->in_name, g->nin);
  text_ports(b, "output", g->out, (const char *const *)g->out_name, g->nout);
  for (int i = 0; i < m->dims.nsym; i++)
    if (is_argument(m, i))
      sb_printf(b, "dimension %s: %s at run time\n",
                quote(&m->arena, m->dims.sym[i].name), m->dims.sym[i].c_name);
  sb_printf(b, "%d nodes after optimisation, %lld bytes of constants\n",
            node_count(g), (long long)weight_bytes(g));
  for (int i = 0; i < n; i++)
    sb_printf(b, "  %5d %s\n", ops[i].n, quote(&m->arena, ops[i].name));
}

static void json_ports(StrBuf *b, Value *const *v, const char *const *name,
                       int n)
{
  for (int i = 0; i < n; i++) {
    DimPool *p = &v[i]->g->m->dims;
    int64_t size;
    sb_printf(b, "%s\n  {\"name\": ", i ? "," : "");
    sb_json(b, name[i]);
    sb_printf(b, ", \"type\": \"%s\", \"shape\": [",
              dtype_info(v[i]->dtype)->onnx);
    for (int k = 0; k < v[i]->rank; k++) {
      sb_puts(b, k ? ", " : "");
      if (dim_is_int(v[i]->dim[k], &size))
        sb_printf(b, "%lld", (long long)size);
      else sb_json(b, dim_text(p, v[i]->dim[k]));
    }
    sb_puts(b, "]}");
  }
}

static void info_json(StrBuf *b, Model *m)
{
  Graph *g = m->main;
  int n, shown = 0;
  OpCount *ops = count_ops(g, &n);
  sb_puts(b, "{\"model\": ");
  sb_json(b, m->file);
  sb_printf(b, ", \"sha256\": \"%s\", \"ir_version\": %lld,\n\"opsets\": {",
            m->sha256, (long long)m->ir_version);
  for (int i = 0; i < m->nopset; i++) {
    sb_puts(b, i ? ", " : "");
    sb_json(b, *m->opset[i].domain ? m->opset[i].domain : "ai.onnx");
    sb_printf(b, ": %d", m->opset[i].version);
  }
  sb_puts(b, "},\n\"inputs\": [");
  json_ports(b, g->in, (const char *const *)g->in_name, g->nin);
  sb_puts(b, "],\n\"outputs\": [");
  json_ports(b, g->out, (const char *const *)g->out_name, g->nout);
  sb_puts(b, "],\n\"dimensions\": [");
  for (int i = 0; i < m->dims.nsym; i++) {
    if (!is_argument(m, i)) continue;
    sb_puts(b, shown++ ? ", " : "");
    sb_json(b, m->dims.sym[i].c_name);
  }
  sb_printf(b, "],\n\"nodes\": %d, \"constant_bytes\": %lld,\n\"operators\": {",
            node_count(g), (long long)weight_bytes(g));
  for (int i = 0; i < n; i++) {
    sb_puts(b, i ? ", " : "");
    sb_json(b, ops[i].name);
    sb_printf(b, ": %d", ops[i].n);
  }
  sb_puts(b, "}}\n");
}

void info_print(Model *m)
{
  StrBuf b;
  sb_init(&b, &m->arena);
  if (m->opt->json) info_json(&b, m);
  else info_text(&b, m);
  fwrite(b.s, 1, b.n, stdout);
  sb_free(&b);
}
