/* SPDX-License-Identifier: Apache-2.0 */
/* The passes, in the order of passes.def, and what they share.
 *
 * A pass is one function of one file in passes/, and one line in passes.def.
 * After each one a debug build checks the invariants of the graph. */
#include "ir.h"
#include <string.h>

#define PASS(name, level, what) {#name, what, level, pass_##name},
static const Pass passes[] = {
#include "passes.def"
};
#undef PASS

int pass_count(void)
{
  return COUNT(passes);
}

const Pass *pass_at(int i)
{
  return i >= 0 && i < COUNT(passes) ? &passes[i] : NULL;
}

static bool dump_wanted(const Graph *g, const char *name)
{
  const Options *o = g->m->opt;
  return o && o->dump_after && !strcmp(o->dump_after, name);
}

static void dump(const Graph *g)
{
  StrBuf b;
  sb_init(&b, &g->m->arena);
  ir_print(&b, g);
  fwrite(b.s, 1, b.n, stderr);
  sb_free(&b);
}

void passes_run(Graph *g)
{
  int level = g->m->opt ? g->m->opt->level : 2;
  if (dump_wanted(g, "import")) dump(g);
  for (int i = 0; i < COUNT(passes) && !g->m->nerror; i++) {
    if (passes[i].level > level) continue;
    passes[i].run(g);
#ifdef O2C_DEBUG
    ir_check(g, passes[i].name);
#endif
    if (dump_wanted(g, passes[i].name)) dump(g);
  }
}

bool match_op(const Value *v, const char *op_type, Node **n)
{
  if (!v || !v->def || !node_is(v->def, op_type)) return false;
  if (n) *n = v->def;
  return true;
}

const Tensor *const_input(const Node *n, int i)
{
  const Value *v = node_in(n, i);
  return v ? v->data : NULL;
}

void node_add_origin(Node *to, const Node *from)
{
  if (!from->origin)
    return;
  Origin *o = NEW(&to->g->m->arena, Origin, 1);
  *o = *from->origin;
  o->next = NULL;
  const Origin **at = &to->origin;
  Origin *copy = NULL;
  for (const Origin *p = to->origin; p; p = p->next) {
    copy = NEW(&to->g->m->arena, Origin, 1);
    *copy = *p;
    *at = copy;
    at = &copy->next;
  }
  *at = o;
}

void node_absorb(Node *to, Node *from)
{
  node_add_origin(to, from);
  node_remove(from);
}
