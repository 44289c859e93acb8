/* SPDX-License-Identifier: 0BSD */
/* Puts a Clip behind every Relu of a model, so that it becomes a Relu6, and
 * says what it did. The bounds are two constants that all Clips share.
 *
 *   insert_node IN.onnx OUT.onnx [OUT.c]   with OUT.c: compiles it too */
#include <onnx2c.h>
#include <stdio.h>
#include <string.h>

/* The node reads what the Relu made; all others read what the node makes. A
 * graph's output keeps its name: there the Relu makes another one. */
static onnx2c_status clip_behind(onnx2c_model *m, onnx2c_graph *g,
                                 onnx2c_node *relu)
{
  const char *out = onnx2c_output(relu, 0);
  const char *name = onnx2c_fresh_name(m, "relu6");
  onnx2c_node *clip = onnx2c_node_new(m, "Clip", "", name);
  if (!name || !clip) return ONNX2C_NO_MEMORY;
  for (size_t i = 0; onnx2c_graph_output(g, i); i++)
    if (!strcmp(onnx2c_graph_output(g, i), out)) {
      char step[512];
      snprintf(step, sizeof step, "insert Clip after '%s' @in=relu6_lo,"
               "relu6_hi", out);
      return onnx2c_step(m, step);
    }
  printf("a Clip behind %s\n", onnx2c_node_name(relu));
  onnx2c_redirect(m, g, out, name, NULL);
  onnx2c_node_add_input(m, clip, out);
  onnx2c_node_add_input(m, clip, "relu6_lo");
  onnx2c_node_add_input(m, clip, "relu6_hi");
  onnx2c_node_add_output(m, clip, name);
  return onnx2c_node_insert(m, g, onnx2c_node_place(g, relu) + 1, clip);
}

static onnx2c_status change(onnx2c_model *m)
{
  static const float lo = 0, hi = 6;
  onnx2c_graph *g = onnx2c_main(m);
  if (!g) return onnx2c_state(m);
  onnx2c_status s = onnx2c_set_initializer(m, "relu6_lo", 1, 0, NULL, &lo);
  if (!s) s = onnx2c_set_initializer(m, "relu6_hi", 1, 0, NULL, &hi);
  for (size_t i = 0; !s && i < onnx2c_node_count(g); i++) {
    onnx2c_node *n = onnx2c_node_at(g, i);
    if (!strcmp(onnx2c_node_op(n), "Relu")) s = clip_behind(m, g, n);
  }
  return s;
}

static void describe(onnx2c_model *m)
{
  onnx2c_graph *g = onnx2c_main(m);
  for (size_t i = 0; onnx2c_graph_input(g, i); i++) {
    onnx2c_type t;
    if (onnx2c_tensor_type(m, onnx2c_graph_input(g, i), &t)) continue;
    printf("input %s: type %d, rank %d\n", onnx2c_graph_input(g, i), t.type,
           t.rank);
  }
}

int main(int argc, char **argv)
{
  if (argc < 3) {
    fprintf(stderr, "insert_node IN.onnx OUT.onnx [OUT.c]\n");
    return ONNX2C_USAGE;
  }
  onnx2c_model *m = onnx2c_load(argv[1]);
  if (!m) return ONNX2C_NO_MEMORY;
  onnx2c_status s = onnx2c_state(m);
  if (!s) s = change(m);
  if (!s) describe(m);
  if (!s) s = onnx2c_save(m, argv[2]);
  if (!s && argc > 3) s = onnx2c_compile(m, argv[3], "--weights array");
  for (int i = 0; onnx2c_message(m, i); i++)
    fprintf(stderr, "%s\n", onnx2c_message(m, i));
  onnx2c_free(m);
  return (int)s;
}
