/* SPDX-License-Identifier: Apache-2.0 */
/* What edit's computing steps share: sizes of words, names of grafts, what
 * inference tells of messages. The steps are tested by tests/cli/edit_*.sh. */
#include "../compiler/edit/steps.h"
#include "pbwriter.h"

/* x -> Relu -> a; a -> Shape -> s; an If on c, whose branch makes b of a. */
static Edit *small(const Options *opt, StrBuf *file)
{
  StrBuf m = {0}, g = {0}, n = {0}, attr = {0}, body = {0}, v = {0}, o = {0};
  w_node(&body, "Neg", "a", "b");
  w_str(&v, 1, "b");
  w_msg(&body, G_OUTPUT, &v);
  w_str(&attr, A_NAME, "then_branch");
  w_msg(&attr, A_G, &body);
  w_int(&attr, A_TYPE, 5);
  w_node(&g, "Relu", "x", "a");
  w_node(&g, "Shape", "a", "s");
  w_names(&n, N_IN, "c");
  w_names(&n, N_OUT, "y");
  w_str(&n, N_OP, "If");
  w_msg(&n, N_ATTR, &attr);
  w_msg(&g, G_NODE, &n);
  w_str(&v, 1, "x");
  w_type(&v, 2, 1, "N");
  w_msg(&g, G_INPUT, &v);
  w_str(&v, 1, "s");
  w_msg(&g, G_OUTPUT, &v);
  w_int(&m, M_IR, 8);
  w_msg(&m, M_GRAPH, &g);
  w_int(&o, 2, 17);
  w_msg(&m, 8, &o);
  *file = m;
  Edit *e = edit_open(opt, NULL);
  e->m->arena.panic = &e->m->panic;
  e->pb->p = (const uint8_t *)m.s;
  e->pb->n = m.n;
  e->mp = (void *)(uintptr_t)pb_read(e->pb, &onnx__model_proto__descriptor);
  return e;
}

static void test_size(void)
{
  int64_t v;
  CHECK(edit_size("12", &v) && v == 12);
  CHECK(edit_size("64K", &v) && v == 65536);
  CHECK(edit_size("3M", &v) && v == 3 << 20);
  CHECK(edit_size("1G", &v) && v == 1 << 30);
  CHECK(!edit_size("", &v) && !edit_size("K", &v) && !edit_size("-1", &v));
  CHECK(!edit_size("1T", &v) && !edit_size("9999999999999999K", &v));
}

static void test_names(Edit *e)
{
  GraphProto *g = e->mp->graph;
  Map count, made, to;
  names_count(e, &count);
  CHECK((uintptr_t)map_get(&count, "a", 1) == 1);
  CHECK((uintptr_t)map_get(&count, "b", 1) == 1);
  CHECK(!map_get(&count, "c", 1));
  map_init(&made, e->a);
  names_made(e, g->node + 2, 1, &made);
  CHECK(map_get(&made, "b", 1) && map_get(&made, "y", 1) && made.n == 2);
  map_init(&to, e->a);
  *map_at(&to, "a", 1) = edit_str(e, "A");
  *map_at(&to, "b", 1) = edit_str(e, "B");
  names_redirect(e, g->node, g->n_node, &to);
  const GraphProto *body = g->node[2]->attribute[0]->g;
  CHECK_STR(g->node[0]->output[0], "a");
  CHECK_STR(g->node[1]->input[0], "A");
  CHECK_STR(body->node[0]->input[0], "A");
  CHECK_STR(body->node[0]->output[0], "b"); /* its own */
  CHECK_STR(body->output[0]->name, "b");
  *map_at(&to, "A", 1) = edit_str(e, "a");
  names_change(e, g->node, g->n_node, &to);
  CHECK_STR(body->output[0]->name, "B");
  CHECK_STR(g->node[1]->input[0], "a");
}

static void test_look(Edit *e)
{
  GraphProto *g = e->mp->graph;
  Look l;
  g->n_node = 2; /* without the If, whose condition nobody makes */
  g->node[0]->output[0] = edit_str(e, "a");
  CHECK(look_open(e, e->mp, &l));
  CHECK(!l.m->nerror);
  CHECK(look_type(&l, "a") == DT_F32 && look_type(&l, "s") == DT_I64);
  CHECK(look_type(&l, "none") == -1);
  const Value *v = look_at(&l, "a");
  CHECK(v && v->rank == 1 && dim_symbol(v->dim[0]) >= 0);
  look_close(&l);
}

int main(void)
{
  Options opt;
  StrBuf file;
  options_default(&opt);
  Edit *e = small(&opt, &file);
  CHECK(e->mp != NULL);
  if (e->mp && !MODEL_EDGE(e->m)) {
    names_fill(e);
    test_size();
    test_names(e);
    test_look(e);
  }
  e->m->arena.panic = NULL;
  edit_free(e);
  sb_free(&file);
  return test_end();
}
