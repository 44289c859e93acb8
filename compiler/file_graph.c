/* SPDX-License-Identifier: Apache-2.0 */
/* The graph as the file has it, for `onnx2c info`: nodes with their inputs,
 * outputs, attributes and bodies, and what inference says of each tensor.
 *
 * Inference writes control flow out and passes rewrite the rest, so a copy is
 * taken in between. Origin.id leads from a step of the plan to these nodes, and
 * Value.became from a tensor of the file to what inference put in its place.
 */
#include "file_graph.h"
#include <math.h>
#include <string.h>

enum { SHOWN = 16 }; /* elements of a list, and of a constant */

typedef struct FileGraph FileGraph;
typedef struct {
  int id, index;        /* of its Origin */
  const char *op, *domain, *name;
  int version, nin, nout, nattr;
  int *in, *out;        /* tensors; -1: omitted */
  Attr *attr;
  FileGraph **body;     /* by attribute; NULL: it has none */
} FileNode;
typedef struct {
  Value *v;
  bool constant;
  const char *type, *shape; /* the shape as JSON; NULL: not known */
} FileTensor;
struct FileGraph {
  const char *name;
  FileNode *node;
  int n, nin, nout;
  int *in, *out;
  FileTensor *tensor;   /* of the main graph: those of all */
  int ntensor;
};
typedef struct {
  Model *m;
  int *number;          /* by id of a value: 1 + tensor */
  FileGraph *main;
} Taker;

static int tensor_number(Taker *t, Value *v)
{
  /* Import puts an Identity before a body's output from outside: skip it. */
  while (v && v->def && !v->def->origin && v->def->nin == 1) v = v->def->in[0];
  if (!v) return -1;
  FileGraph *g = t->main;
  if (!t->number[v->id]) {
    g->tensor = arena_grow(&t->m->arena, g->tensor, g->ntensor,
                           sizeof *g->tensor);
    g->tensor[g->ntensor++] = (FileTensor){v, v->data && !v->def, NULL,
                                               NULL};
    t->number[v->id] = g->ntensor;
  }
  return t->number[v->id] - 1;
}

static int *tensor_numbers(Taker *t, Value *const *v, int n)
{
  int *number = NEW(&t->m->arena, int, n + 1);
  for (int i = 0; i < n; i++) number[i] = tensor_number(t, v[i]);
  return number;
}

static void take_graph(Taker *t, FileGraph *to, const Graph *g);

static FileNode take_node(Taker *t, const Node *n)
{
  Arena *a = &t->m->arena;
  FileNode f = {.id = n->origin->id, .index = n->origin->index,
                .op = n->op_type, .domain = n->domain, .name = n->name,
                .version = n->version, .nin = n->nin, .nout = n->nout,
                .nattr = n->nattr};
  f.in = tensor_numbers(t, n->in, n->nin);
  f.out = tensor_numbers(t, n->out, n->nout);
  f.attr = NEW(a, Attr, n->nattr + 1);
  f.body = NEW(a, FileGraph *, n->nattr + 1);
  for (int i = 0; i < n->nattr; i++) {
    f.attr[i] = n->attr[i];
    if (!n->attr[i].g) continue;
    f.body[i] = NEW(a, FileGraph, 1);
    take_graph(t, f.body[i], n->attr[i].g);
  }
  return f;
}

static void take_graph(Taker *t, FileGraph *to, const Graph *g)
{
  int count = 0;
  for (const Node *n = g->first; n; n = n->next) count += n->origin != NULL;
  to->name = g->name ? g->name : "";
  to->node = NEW(&t->m->arena, FileNode, count + 1);
  to->nin = g->nin;
  to->nout = g->nout;
  to->in = tensor_numbers(t, g->in, g->nin);
  for (const Node *n = g->first; n; n = n->next)
    if (n->origin) to->node[to->n++] = take_node(t, n);
  to->out = tensor_numbers(t, g->out, g->nout);
}

void file_graph_take(Model *m)
{
  Arena *a = &m->arena;
  FileGraph *main = NEW(a, FileGraph, 1);
  Taker t = {m, NEW(a, int, m->nvalue + 1), main};
  take_graph(&t, main, m->main);
  m->drawn = main;
}

static void count_graph(const FileGraph *g, Map *map)
{
  for (int i = 0; i < g->n; i++) {
    const FileNode *n = &g->node[i];
    char *key = arena_printf(map->a, "%s-%d", n->op, n->version);
    int **at = (int **)map_at(map, key, strlen(key));
    if (!*at) *at = NEW(map->a, int, 1);
    ++**at;
    for (int k = 0; k < n->nattr; k++)
      if (n->body[k]) count_graph(n->body[k], map);
  }
}

void file_graph_count(const Model *m, Map *map)
{
  if (m->drawn) count_graph(m->drawn, map);
}

static const char *text_of(Arena *a, StrBuf *b)
{
  const char *s = arena_strn(a, b->s ? b->s : "", b->n);
  sb_free(b);
  return s;
}

static void put_dims(StrBuf *b, DimPool *p, const Value *v)
{
  int64_t size;
  sb_puts(b, "[");
  for (int i = 0; i < v->rank; i++) {
    sb_puts(b, i ? ", " : "");
    if (dim_is_int(v->dim[i], &size)) sb_printf(b, "%lld", (long long)size);
    else sb_json(b, dim_text(p, v->dim[i]));
  }
  sb_puts(b, "]");
}

static const Value *final_value(const Value *v)
{
  while (v->became) v = v->became;
  return v;
}

void file_graph_shapes(Model *m)
{
  Arena *a = &m->arena;
  FileGraph *g = (FileGraph *)m->drawn;
  for (int i = 0; i < g->ntensor; i++) {
    FileTensor *t = &g->tensor[i];
    const Value *v = final_value(t->v);
    StrBuf b;
    if (v->kind != VK_TENSOR) t->type = type_text(a, v->declared);
    else if (v->dtype != DT_NONE) t->type = dtype_info(v->dtype)->onnx;
    if (v->kind != VK_TENSOR || v->rank < 0) continue;
    sb_init(&b, a);
    put_dims(&b, &m->dims, v);
    t->shape = text_of(a, &b);
  }
}

/* --- As JSON -------------------------------------------------------------- */

/* JSON has no infinities. */
static void put_number(StrBuf *b, double v)
{
  if (isnan(v)) sb_puts(b, "\"nan\"");
  else if (isinf(v)) sb_puts(b, v > 0 ? "\"inf\"" : "\"-inf\"");
  else sb_printf(b, "%.9g", v);
}

/* The beginning of a text, cut between characters; a NUL as its symbol. */
static void put_str(StrBuf *b, Arena *a, Str s)
{
  enum { LONG = 200 };
  StrBuf text;
  size_t n = s.n < LONG ? s.n : LONG;
  while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
  sb_init(&text, a);
  for (size_t i = 0; i < n; i++)
    if (s.p[i]) sb_write(&text, s.p + i, 1);
    else sb_puts(&text, "\xe2\x90\x80"); /* U+2400 */
  sb_json(b, text_of(a, &text));
}

/* ,"values": [..] of the first elements. */
static void put_values(StrBuf *b, Model *m, const Tensor *t)
{
  DtypeClass c = dtype_info(t->dtype)->cls;
  if (!t->data || c == DC_COMPLEX || c == DC_NONE) return;
  sb_puts(b, ", \"values\": [");
  Tensor head = *t;
  if (head.n > SHOWN) head.n = SHOWN; /* so that no more is copied */
  head.data = tensor_aligned(m, &head);
  const Str *text = c == DC_STR ? head.data : NULL;
  for (int64_t i = 0; i < head.n; i++) {
    sb_puts(b, i ? ", " : "");
    if (text) put_str(b, &m->arena, text[i]);
    else if (c == DC_FLOAT) put_number(b, tensor_f64(&head, i));
    else sb_printf(b, "%lld", (long long)tensor_i64(&head, i));
  }
  sb_puts(b, "]");
}

static void put_tensor(StrBuf *b, Model *m, const Tensor *t)
{
  sb_printf(b, "{\"type\": \"%s\", \"shape\": [", dtype_info(t->dtype)->onnx);
  for (int i = 0; i < t->rank; i++)
    sb_printf(b, "%s%lld", i ? ", " : "", (long long)t->dim[i]);
  sb_puts(b, "]");
  put_values(b, m, t);
  sb_puts(b, "}");
}

static const char *attr_word(AttrType t)
{
  static const char *const word[] = {"none", "int", "float", "string",
    "tensor", "graph", "ints", "floats", "strings", "type", "other"};
  return word[t];
}

static void put_list(StrBuf *b, Arena *arena, const Attr *a)
{
  sb_puts(b, "[");
  for (int i = 0; i < a->n && i < SHOWN; i++) {
    sb_puts(b, i ? ", " : "");
    if (a->type == AT_INTS) sb_printf(b, "%lld", (long long)a->ints[i]);
    else if (a->type == AT_FLOATS) put_number(b, (double)a->floats[i]);
    else put_str(b, arena, a->strs[i]);
  }
  sb_printf(b, "], \"count\": %d", a->n);
}

static void put_attr(StrBuf *b, Model *m, const Attr *a)
{
  sb_puts(b, "{\"name\": ");
  sb_json(b, a->name);
  sb_printf(b, ", \"type\": \"%s\", \"value\": ", attr_word(a->type));
  switch (a->type) {
  case AT_INT: sb_printf(b, "%lld", (long long)a->i); break;
  case AT_FLOAT: put_number(b, (double)a->f); break;
  case AT_STR: put_str(b, &m->arena, a->s); break;
  case AT_TENSOR: put_tensor(b, m, a->t); break;
  case AT_INTS: case AT_FLOATS: case AT_STRS:
    put_list(b, &m->arena, a);
    break;
  case AT_TYPE: sb_json(b, type_text(&m->arena, a->type_proto)); break;
  default: sb_puts(b, "null"); break;
  }
  sb_puts(b, "}");
}

static void put_numbers(StrBuf *b, const char *key, const int *v, int n)
{
  sb_printf(b, ", \"%s\": [", key);
  for (int i = 0; i < n; i++)
    if (v[i] < 0) sb_printf(b, "%snull", i ? ", " : "");
    else sb_printf(b, "%s%d", i ? ", " : "", v[i]);
  sb_puts(b, "]");
}

static void put_graph(StrBuf *b, Model *m, const FileGraph *g);

static void put_bodies(StrBuf *b, Model *m, const FileNode *n)
{
  bool first = true;
  for (int i = 0; i < n->nattr; i++) {
    if (!n->body[i]) continue;
    sb_puts(b, first ? ", \"bodies\": [" : ", ");
    sb_puts(b, "{\"attribute\": ");
    sb_json(b, n->attr[i].name);
    sb_puts(b, ", \"graph\": ");
    put_graph(b, m, n->body[i]);
    sb_puts(b, "}");
    first = false;
  }
  if (!first) sb_puts(b, "]");
}

static void put_node(StrBuf *b, Model *m, const FileNode *n)
{
  bool first = true;
  sb_printf(b, "{\"id\": %d, \"index\": %d, \"name\": ", n->id, n->index);
  sb_json(b, n->name);
  sb_puts(b, ", \"op\": ");
  sb_json(b, n->op);
  sb_puts(b, ", \"domain\": ");
  sb_json(b, n->domain);
  sb_printf(b, ", \"version\": %d", n->version);
  put_numbers(b, "inputs", n->in, n->nin);
  put_numbers(b, "outputs", n->out, n->nout);
  sb_puts(b, ", \"attributes\": [");
  for (int i = 0; i < n->nattr; i++) {
    if (n->body[i]) continue;
    sb_puts(b, first ? "" : ", ");
    put_attr(b, m, &n->attr[i]);
    first = false;
  }
  sb_puts(b, "]");
  put_bodies(b, m, n);
  sb_puts(b, "}");
}

static void put_graph(StrBuf *b, Model *m, const FileGraph *g)
{
  sb_puts(b, "{\"name\": ");
  sb_json(b, g->name);
  put_numbers(b, "inputs", g->in, g->nin);
  put_numbers(b, "outputs", g->out, g->nout);
  sb_puts(b, ", \"nodes\": [");
  for (int i = 0; i < g->n; i++) {
    sb_puts(b, i ? ",\n  " : "\n  ");
    put_node(b, m, &g->node[i]);
  }
  sb_puts(b, "]}");
}

static void put_file_tensor(StrBuf *b, Model *m, const FileTensor *t)
{
  sb_puts(b, "{\"name\": ");
  sb_json(b, t->v->name);
  sb_printf(b, ", \"type\": ");
  if (t->type) sb_json(b, t->type);
  else sb_puts(b, "null");
  sb_printf(b, ", \"shape\": %s", t->shape ? t->shape : "null");
  if (t->constant) {
    sb_puts(b, ", \"constant\": true");
    put_values(b, m, t->v->data);
  }
  sb_puts(b, "}");
}

void file_graph_json(StrBuf *b, Model *m)
{
  const FileGraph *g = m->drawn;
  if (!g) return;
  sb_puts(b, ",\n\"tensors\": [");
  for (int i = 0; i < g->ntensor; i++) {
    sb_puts(b, i ? ",\n  " : "\n  ");
    put_file_tensor(b, m, &g->tensor[i]);
  }
  sb_puts(b, "],\n\"graph\": ");
  put_graph(b, m, g);
}
