/* SPDX-License-Identifier: Apache-2.0 */
/* The core of graph surgery: words, globs, near names, payloads, copies, what
 * names mean in bodies, writing. Steps are tested by tests/cli/edit_*.sh. */
#include "../compiler/edit/edit.h"
#include "pbwriter.h"

/* x -> Relu -> a -> If(cond) -> y; its branch reads a, and makes b. Fields
 * stand in the order of their numbers, so writing gives the same bytes. */
static Edit *small(const Options *opt, StrBuf *file)
{
  StrBuf m = {0}, g = {0}, n = {0}, attr = {0}, body = {0}, in = {0}, t = {0};
  w_node(&body, "Neg", "a", "b");
  w_str(&in, 1, "b");
  w_type(&in, 2, 1, "N");
  w_msg(&body, G_OUTPUT, &in);
  w_str(&attr, A_NAME, "then_branch");
  w_msg(&attr, A_G, &body);
  w_int(&attr, A_TYPE, 5);
  w_node(&g, "Relu", "x", "a");
  w_names(&n, N_IN, "cond");
  w_names(&n, N_OUT, "y");
  w_str(&n, N_OP, "If");
  w_msg(&n, N_ATTR, &attr);
  w_msg(&g, G_NODE, &n);
  w_int(&t, T_DIMS, 2);
  w_int(&t, T_TYPE, 7);
  w_str(&t, T_NAME, "c");
  pb_put_bytes(&t, T_RAW, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16);
  w_str(&t, 99, "unknown");
  w_msg(&g, G_INIT, &t);
  w_str(&in, 1, "x");
  w_msg(&g, G_INPUT, &in);
  w_str(&in, 1, "y");
  w_msg(&g, G_OUTPUT, &in);
  w_int(&m, M_IR, 8);
  w_msg(&m, M_GRAPH, &g);
  *file = m;
  Edit *e = edit_open(opt, NULL);
  e->m->arena.panic = &e->m->panic;
  e->pb->p = (const uint8_t *)m.s;
  e->pb->n = m.n;
  e->mp = (void *)(uintptr_t)pb_read(e->pb, &onnx__model_proto__descriptor);
  return e;
}

static void test_words(Edit *e)
{
  int n;
  const char **w = edit_words(e, "  rename 'a b'=c \"it's\" ", &n);
  CHECK(n == 3);
  CHECK_STR(w[1], "a b=c");
  CHECK_STR(w[2], "it's");
  CHECK(!edit_words(e, "rename 'a", &n));
  CHECK(edit_match("a*c?", "abbcd") && !edit_match("a*c?", "abbc"));
  CHECK(edit_match("*", "") && !edit_match("", "a"));
  int64_t i;
  CHECK(edit_int("-12", &i) && i == -12 && !edit_int("1x", &i) &&
        !edit_int("", &i) && !edit_int("99999999999999999999", &i));
  const char *names[] = {"conv1", "conv2", "relu"};
  CHECK_STR(edit_near(e, "cnv1", names, 3),
            "; near names: 'conv1', 'conv2'");
  CHECK_STR(edit_near(e, "zzzzzz", names, 3), "");
}

static void test_names(Edit *e)
{
  int n;
  Body *all = edit_bodies(e, &n);
  CHECK(n == 2 && all[1].outer == &all[0]);
  Index *x = body_index(e, &all[0]);
  CHECK(index_get(x, "a")->uses == 1 && index_get(x, "a")->maker);
  CHECK(index_get(x, "y")->is_output && index_get(x, "x")->is_input);
  CHECK(!index_get(x, "b"));
  CHECK_STR(edit_fresh(e, "b"), "b_1");
  body_rename(e, &all[0], "a", "q");
  CHECK_STR(all[1].g->node[0]->input[0], "q");
  CHECK_STR(all[0].g->node[0]->output[0], "q");
  body_rename(e, &all[0], "b", "r"); /* the inner graph's own */
  CHECK_STR(all[1].g->node[0]->output[0], "b");
  body_rename(e, &all[0], "q", "a");
  Body *b;
  size_t at;
  CHECK(edit_find_node(e, "#1", &b, &at) && at == 1);
  CHECK(edit_find_node(e, "b", &b, &at) && b->outer);
  CHECK(!edit_find_node(e, "nope", &b, &at));
}

static void test_payloads(Edit *e)
{
  TensorProto *t = e->mp->graph->initializer[0];
  uint64_t size = msg_size(e, t);
  const Tensor *x = tensor_read(e, t);
  CHECK(x && tensor_i64(x, 1) == 2);
  TensorProto *copy = edit_clone(e, t);
  CHECK(msg_size(e, copy) == size && msg_hash(e, copy) == msg_hash(e, t));
  int64_t dim[2] = {1, 2};
  msg_set_ints(e, copy, FIELD_T_DIMS, dim, 2);
  CHECK(msg_size(e, copy) == size + 2 && msg_size(e, t) == size);
  CHECK(msg_hash(e, copy) != msg_hash(e, t));
  CHECK(pb_count(e->pb, copy, 99) == 1);
  NodeProto *n = edit_node(e, "Conv", "");
  int64_t pads[2] = {1, -1};
  size_t count;
  node_attr_ints(e, n, "pads", pads, 2);
  const int64_t *v = msg_ints(e, node_attr(n, "pads"), FIELD_A_INTS, &count);
  CHECK(count == 2 && v[1] == -1);
  node_attr_str(e, n, "auto_pad", "SAME");
  CHECK_STR(msg_text(e, node_attr(n, "auto_pad"), FIELD_A_S), "SAME");
  node_attr_drop(n, "auto_pad");
  CHECK(n->n_attribute == 1 && !node_attr(n, "auto_pad"));
  float f[3] = {1.5f, 2, 3};
  TensorProto *made = tensor_make(e, "w", DT_F32, 1, &(int64_t){3}, f,
                                  sizeof f);
  CHECK(tensor_f64(tensor_read(e, made), 0) == 1.5);
  CHECK(msg_size(e, made) == 2 + 2 + 3 + 14);
}

int main(void)
{
  Options opt;
  StrBuf file;
  options_default(&opt);
  Edit *e = small(&opt, &file);
  CHECK(e->mp && msg_size(e, e->mp) == file.n);
  char sha[65], want[65];
  sha256_hex(file.s, file.n, want);
  edit_sha256(e, sha);
  CHECK_STR(sha, want);
  test_words(e);
  test_names(e);
  test_payloads(e);
  edit_free(e);
  sb_free(&file);
  return test_end();
}
