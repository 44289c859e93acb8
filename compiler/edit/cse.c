/* SPDX-License-Identifier: Apache-2.0 */
/* cse: nodes that compute the same from the same become one, and so do
 * initializers that hold the same.
 *
 * Two nodes are the same if operator, domain, inputs and attributes are, byte
 * for byte. Random draws, nodes with bodies and operators that onnx2c does not
 * know stay. A node that makes an output of the graph stays, as it has to be
 * called so. */
#include "steps.h"
#include <string.h>

#define LONG 65536 /* bytes; longer payloads are compared by their place */

typedef struct {
  Edit *e;
  GraphProto *g;
  Map to;                /* name -> the name that stands for it */
  Map outputs;
  int nodes, tensors;
} Cse;

static bool is_output(const Cse *c, const char *name)
{
  return map_get(&c->outputs, name, strlen(name)) != NULL;
}

static const char *stands_for(const Cse *c, const char *name)
{
  const char *s = map_get(&c->to, name, strlen(name));
  return s ? s : name;
}

static void put_word(StrBuf *b, const char *s)
{
  sb_puts(b, s ? s : "");
  sb_write(b, "", 1);
}

/* A list of numbers or texts, by its values; long texts by where they are. */
static void put_list(Cse *c, StrBuf *b, const void *msg, uint32_t field)
{
  PbIter it = pb_iter(c->e->pb, msg, field);
  bool text = it.wire == 2;
  PbItem x = {0};
  sb_printf(b, "%u:", field);
  while (pb_next(&it, &x)) {
    if (!text) sb_printf(b, "%llx,", (unsigned long long)x.u);
    else if (x.s.n > LONG) sb_printf(b, "%p %zu,", (const void *)x.s.p, x.s.n);
    else {
      sb_printf(b, "%zu ", x.s.n);
      sb_write(b, x.s.p, x.s.n);
    }
  }
}

static void put_tensor(Cse *c, StrBuf *b, const TensorProto *t)
{
  static const uint32_t field[] = {1, 4, 5, 6, 7, 9, 10, 11};
  sb_printf(b, "t%d ", t->data_type);
  for (int i = 0; i < COUNT(field); i++) put_list(c, b, t, field[i]);
}

/* False: of a kind that is not compared. */
static bool put_attribute(Cse *c, StrBuf *b, const AttributeProto *a)
{
  if (a->g || a->sparse_tensor || a->tp || a->n_tensors || a->n_graphs ||
      a->n_sparse_tensors || a->n_type_protos || a->ref_attr_name)
    return false;
  put_word(b, a->name);
  sb_printf(b, "%d %a %lld ", (int)a->type, (double)a->f, (long long)a->i);
  for (uint32_t f = FIELD_A_FLOATS; f <= FIELD_A_STRINGS; f++)
    put_list(c, b, a, f);
  put_list(c, b, a, FIELD_A_S);
  if (!a->t) return true;
  put_tensor(c, b, a->t);
  return a->t->n_external_data == 0;
}

/* What a node computes, as bytes; false: it is left alone. */
static bool put_node(Cse *c, StrBuf *b, const NodeProto *n)
{
  const OpDef *op = op_find(domain_name(n->domain), n->op_type);
  if (!op || op->flags & OP_RANDOM || (n->overload && *n->overload))
    return false;
  put_word(b, domain_name(n->domain));
  put_word(b, n->op_type);
  for (size_t i = 0; i < n->n_input; i++)
    put_word(b, stands_for(c, n->input[i]));
  sb_printf(b, "|%zu ", n->n_output);
  for (size_t i = 0; i < n->n_output; i++) {
    if (is_output(c, n->output[i])) return false;
    sb_puts(b, *n->output[i] ? "1" : "0");
  }
  for (size_t i = 0; i < n->n_attribute; i++)
    if (!put_attribute(c, b, n->attribute[i])) return false;
  return true;
}

static void share_nodes(Cse *c)
{
  GraphProto *g = c->g;
  Map known;
  StrBuf b;
  size_t k = 0;
  map_init(&known, c->e->a);
  sb_init(&b, c->e->a);
  for (size_t i = 0; i < g->n_node; i++) {
    NodeProto *n = g->node[i], **p = NULL;
    b.n = 0;
    if (put_node(c, &b, n)) p = (NodeProto **)map_at(&known, b.s, b.n);
    if (!p || !*p) {
      if (p) *p = n;
      g->node[k++] = n;
      continue;
    }
    for (size_t o = 0; o < n->n_output; o++)
      if (*n->output[o])
        *map_at(&c->to, n->output[o], strlen(n->output[o])) = (*p)->output[o];
    c->nodes++;
  }
  g->n_node = k;
  sb_free(&b);
}

/* --- Initializers --------------------------------------------------------- */

typedef struct Twin {
  struct Twin *next;
  const TensorProto *t;
  Str raw;
} Twin;

static bool is_input(const Cse *c, const char *name)
{
  for (size_t i = 0; i < c->g->n_input; i++)
    if (!strcmp(c->g->input[i]->name, name)) return true;
  return false;
}

/* An earlier one with this type, shape and bytes; else it becomes known.
 * Comparing ends at the first byte that differs. */
static const TensorProto *same_tensor(Cse *c, Map *known,
                                      const TensorProto *t)
{
  Edit *e = c->e;
  Str raw;
  size_t rank;
  if (t->data_type == DT_STR || !tensor_raw(e, t, &raw)) return NULL;
  const int64_t *dim = msg_ints(e, t, FIELD_T_DIMS, &rank);
  StrBuf b;
  sb_init(&b, e->a);
  sb_printf(&b, "%d", t->data_type);
  for (size_t i = 0; i < rank; i++) sb_printf(&b, " %lld", (long long)dim[i]);
  Twin **at = (Twin **)map_at(known, b.s, b.n);
  sb_free(&b);
  for (const Twin *s = *at; s; s = s->next)
    if (s->raw.n == raw.n && (!raw.n || !memcmp(s->raw.p, raw.p, raw.n)))
      return s->t;
  Twin *s = NEW(e->a, Twin, 1);
  *s = (Twin){*at, t, raw};
  *at = s;
  return NULL;
}

static bool share_tensors(Cse *c)
{
  GraphProto *g = c->g;
  Map known;
  size_t k = 0;
  int errors = c->e->m->nerror;
  map_init(&known, c->e->a);
  for (size_t i = 0; i < g->n_initializer; i++) {
    TensorProto *t = g->initializer[i];
    const TensorProto *by = is_input(c, t->name) || is_output(c, t->name)
      ? NULL : same_tensor(c, &known, t);
    if (!by) {
      g->initializer[k++] = t;
      continue;
    }
    *map_at(&c->to, t->name, strlen(t->name)) = by->name;
    c->tensors++;
  }
  g->n_initializer = k;
  return c->e->m->nerror == errors;
}

/* Facts about what is gone. */
static void sweep(Cse *c)
{
  GraphProto *g = c->g;
  size_t k = 0;
  for (size_t i = 0; i < g->n_value_info; i++) {
    const char *s = g->value_info[i]->name;
    if (!map_get(&c->to, s, strlen(s))) g->value_info[k++] = g->value_info[i];
  }
  g->n_value_info = k;
}

bool step_cse(Edit *e, const EditStep *s)
{
  Cse c = {.e = e, .g = e->mp->graph};
  (void)s;
  names_fill(e);
  map_init(&c.to, e->a);
  map_init(&c.outputs, e->a);
  for (size_t i = 0; i < c.g->n_output; i++)
    *map_at(&c.outputs, c.g->output[i]->name, strlen(c.g->output[i]->name)) =
      e;
  if (!share_tensors(&c)) return false;
  share_nodes(&c);
  sweep(&c);
  names_redirect(e, c.g->node, c.g->n_node, &c.to);
  edit_note(e, "%d nodes and %d initializers were there twice", c.nodes,
            c.tensors);
  return true;
}
