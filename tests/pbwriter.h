/* SPDX-License-Identifier: Apache-2.0 */
/* Writes small ONNX models into memory, for tests of the import layer.
 *
 * A message is a StrBuf; w_msg puts a finished one into another and frees it.
 * Lists of names are comma-separated: w_node(&g, "Add", "a,b", "c"). */
#ifndef PBWRITER_H
#define PBWRITER_H
#include "import.h"
#include "o2ctest.h"
#include <stdlib.h>

/* Field numbers that tests use, by message. */
enum { M_IR = 1, M_GRAPH = 7, M_OPSET = 8, M_META = 14, M_TRAINING = 20,
       M_FUNCTION = 25, G_NODE = 1, G_NAME = 2, G_INIT = 5, G_INPUT = 11,
       G_OUTPUT = 12, G_INFO = 13, G_SPARSE = 15, N_IN = 1, N_OUT = 2,
       N_NAME = 3, N_OP = 4, N_ATTR = 5, N_DOMAIN = 7, N_OVERLOAD = 8,
       A_NAME = 1, A_F = 2, A_I = 3, A_S = 4, A_T = 5, A_G = 6, A_FLOATS = 7,
       A_INTS = 8, A_STRINGS = 9, A_TP = 14, A_TYPE = 20, A_REF = 21,
       A_SPARSE = 22, T_DIMS = 1, T_TYPE = 2, T_FLOAT = 4, T_INT32 = 5,
       T_STRING = 6, T_INT64 = 7, T_NAME = 8, T_RAW = 9, T_DOUBLE = 10,
       T_UINT64 = 11, T_EXTERNAL = 13, T_LOCATION = 14, F_NAME = 1, F_IN = 4,
       F_OUT = 5, F_ATTR = 6, F_NODE = 7, F_OPSET = 9, F_DOMAIN = 10,
       F_DEFAULT = 11, F_OVERLOAD = 13 };

static inline void w_int(StrBuf *b, uint32_t field, int64_t v)
{
  pb_put_int(b, field, (uint64_t)v);
}

static inline void w_str(StrBuf *b, uint32_t field, const char *s)
{
  pb_put_bytes(b, field, s, strlen(s));
}

static inline void w_float(StrBuf *b, uint32_t field, float f)
{
  pb_put_varint(b, (uint64_t)field << 3 | 5);
  sb_write(b, &f, sizeof f);
}

static inline void w_msg(StrBuf *b, uint32_t field, StrBuf *inner)
{
  pb_put_bytes(b, field, inner->s ? inner->s : "", inner->n);
  sb_free(inner);
}

static inline void w_names(StrBuf *b, uint32_t field, const char *list)
{
  for (const char *p = list; *list; p += *p == ',') {
    size_t n = strcspn(p, ",");
    pb_put_bytes(b, field, p, n);
    p += n;
    if (!*p) return;
  }
}

/* Dimensions: "N,3,?,-1"; "" is a scalar, NULL no shape at all. */
static inline void w_type(StrBuf *b, uint32_t field, int elem, const char *dims)
{
  StrBuf type = {0}, tensor = {0}, shape = {0};
  w_int(&tensor, 1, elem);
  for (const char *p = dims; p && *p;) {
    StrBuf dim = {0};
    char *end;
    long v = strtol(p, &end, 10);
    size_t n = strcspn(p, ",");
    if (end == p + n) w_int(&dim, 1, v);
    else if (*p != '_') pb_put_bytes(&dim, 2, p, n);
    w_msg(&shape, 1, &dim);
    p += n + (p[n] == ',');
  }
  if (dims) w_msg(&tensor, 2, &shape);
  w_msg(&type, 1, &tensor);
  w_msg(b, field, &type);
}

static inline void w_value(StrBuf *g, uint32_t field, const char *name,
                           int elem, const char *dims)
{
  StrBuf v = {0};
  w_str(&v, 1, name);
  if (elem >= 0) w_type(&v, 2, elem, dims);
  w_msg(g, field, &v);
}

static inline void w_node_start(StrBuf *n, const char *op, const char *in,
                                const char *out)
{
  w_names(n, N_IN, in);
  w_names(n, N_OUT, out);
  w_str(n, N_OP, op);
}

static inline void w_node_at(StrBuf *b, uint32_t field, const char *op,
                             const char *in, const char *out)
{
  StrBuf n = {0};
  w_node_start(&n, op, in, out);
  w_msg(b, field, &n);
}

static inline void w_node(StrBuf *g, const char *op, const char *in,
                          const char *out)
{
  w_node_at(g, G_NODE, op, in, out);
}

static inline void w_raw(StrBuf *b, uint32_t field, const char *name, int type,
                         const char *dims, Str raw)
{
  StrBuf t = {0};
  for (const char *p = dims; *p;) {
    w_int(&t, T_DIMS, strtoll(p, NULL, 10));
    p += strcspn(p, ",");
    p += *p == ',';
  }
  w_int(&t, T_TYPE, type);
  w_str(&t, T_NAME, name);
  if (raw.p) pb_put_bytes(&t, T_RAW, raw.p, raw.n);
  w_msg(b, field, &t);
}

static inline void w_opset(StrBuf *b, uint32_t field, const char *domain,
                           int version)
{
  StrBuf o = {0};
  w_str(&o, 1, domain);
  w_int(&o, 2, version);
  w_msg(b, field, &o);
}

static inline void w_attr_int(StrBuf *n, const char *name, int64_t v)
{
  StrBuf a = {0};
  w_str(&a, A_NAME, name);
  w_int(&a, A_I, v);
  w_int(&a, A_TYPE, 2);
  w_msg(n, N_ATTR, &a);
}

static inline void w_attr_graph(StrBuf *n, const char *name, StrBuf *g)
{
  StrBuf a = {0};
  w_str(&a, A_NAME, name);
  w_msg(&a, A_G, g);
  w_int(&a, A_TYPE, 5);
  w_msg(n, N_ATTR, &a);
}

/* A graph with input x [2] and output y [2], of float. */
static inline void w_ports(StrBuf *g)
{
  w_value(g, G_INPUT, "x", 1, "2");
  w_value(g, G_OUTPUT, "y", 1, "2");
}

static inline void w_model(StrBuf *m, StrBuf *g)
{
  w_int(m, M_IR, 10);
  w_opset(m, M_OPSET, "", 17);
  w_msg(m, M_GRAPH, g);
}

/* Imports `b`, whose bytes stay until the model is freed. */
static inline Model *w_import(const StrBuf *b)
{
  return import_memory(NULL, "net.onnx", b->s, b->n);
}

static inline Model *w_import_graph(StrBuf *m, StrBuf *g)
{
  w_model(m, g);
  return w_import(m);
}

static inline void w_end(Model *m, StrBuf *b)
{
  model_free(m);
  sb_free(b);
}

/* A good model with something of everything, as a start for damage. */
static inline void w_rich_model(StrBuf *m)
{
  StrBuf g = {0}, n = {0}, body = {0}, f = {0}, s = {0}, a = {0}, t = {0};
  static const float w[4] = {1, 2, 3, 4};
  static const int64_t index[1] = {1};
  Str raw = {(const char *)w, sizeof w};
  w_ports(&g);
  w_value(&g, G_INPUT, "c", 9, "N,?");
  w_type(&a, 1, 1, "N,2");
  w_msg(&t, 4, &a); /* a sequence */
  w_str(&a, 1, "seq");
  w_msg(&a, 2, &t);
  w_msg(&g, G_INPUT, &a);
  w_value(&g, G_INFO, "t", 1, "N,2");
  w_raw(&g, G_INIT, "w", 1, "2,2", raw);
  w_raw(&g, G_INIT, "i4", 22, "3", (Str){"\x12\x03", 2});
  w_raw(&s, 1, "sp", 1, "1", (Str){raw.p, 4});
  w_raw(&s, 2, "", 7, "1", (Str){(const char *)index, 8});
  w_int(&s, 3, 3);
  w_msg(&g, G_SPARSE, &s);
  w_value(&body, G_OUTPUT, "k", 1, NULL);
  w_node(&body, "MatMul", "x,w", "k");
  w_node_start(&n, "If", "c,,i4", "t");
  w_attr_graph(&n, "then_branch", &body);
  w_attr_int(&n, "i", 3);
  w_str(&a, A_NAME, "ints");
  w_int(&a, A_INTS, 300);
  w_float(&a, A_FLOATS, 2);
  w_str(&a, A_STRINGS, "s");
  w_msg(&n, N_ATTR, &a);
  w_msg(&g, G_NODE, &n);
  w_node_start(&n, "F", "t,sp", "u");
  w_attr_int(&n, "q", 3);
  w_msg(&g, G_NODE, &n);
  w_node(&g, "Relu", "u", "y");
  w_str(&f, F_NAME, "F");
  w_names(&f, F_IN, "a,b");
  w_names(&f, F_OUT, "r");
  w_node_start(&n, "Add", "a,b", "r");
  w_str(&a, A_NAME, "k");
  w_str(&a, A_REF, "q");
  w_int(&a, A_TYPE, 2);
  w_msg(&n, N_ATTR, &a);
  w_msg(&f, F_NODE, &n);
  w_opset(&f, F_OPSET, "", 17);
  w_msg(m, M_FUNCTION, &f);
  w_model(m, &g);
}

/* The first diagnostic with `text` in it; NULL: none. */
static inline const Diag *w_diag(const Model *m, const char *text)
{
  for (const Diag *d = m->diags; d; d = d->next)
    if (strstr(d->text, text)) return d;
  return NULL;
}

static inline Value *w_find(const Graph *g, const char *name)
{
  for (const Node *n = g->first; n; n = n->next)
    for (int k = 0; k < n->nin + n->nout; k++) {
      Value *v = k < n->nin ? n->in[k] : n->out[k - n->nin];
      if (v && !strcmp(v->name, name)) return v;
    }
  return NULL;
}
#endif
