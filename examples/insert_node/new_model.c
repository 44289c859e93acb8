/* SPDX-License-Identifier: 0BSD */
/* Makes a model from nothing: y = max(x * w + b, 0), with two constants.
 *
 *   new_model OUT.onnx */
#include <onnx2c.h>
#include <stdio.h>

int main(int argc, char **argv)
{
  static const int64_t rows[2] = {3, 2};
  static const float w[6] = {1, 2, 3, 4, 5, 6}, b[2] = {-10, 0.5f};
  if (argc < 2) return ONNX2C_USAGE;
  onnx2c_model *m = onnx2c_new("perceptron", 17);
  if (!m) return ONNX2C_NO_MEMORY;
  onnx2c_graph *g = onnx2c_main(m);
  onnx2c_node *gemm = onnx2c_node_new(m, "Gemm", "", "fc");
  onnx2c_node *relu = onnx2c_node_new(m, "Relu", "", "relu");
  onnx2c_add_input(m, "x", "float[N,3]");
  onnx2c_set_initializer(m, "w", 1, 2, rows, w);
  onnx2c_set_initializer(m, "b", 1, 1, &rows[1], b);
  onnx2c_node_add_input(m, gemm, "x");
  onnx2c_node_add_input(m, gemm, "w");
  onnx2c_node_add_input(m, gemm, "b");
  onnx2c_node_add_output(m, gemm, "h");
  onnx2c_node_set_float(m, gemm, "alpha", 1);
  onnx2c_node_add_input(m, relu, "h");
  onnx2c_node_add_output(m, relu, "y");
  onnx2c_node_insert(m, g, 0, gemm);
  onnx2c_node_insert(m, g, 1, relu);
  onnx2c_add_output(m, "y", "float[N,2]");
  onnx2c_status s = onnx2c_state(m);
  if (!s) s = onnx2c_save(m, argv[1]);
  for (int i = 0; onnx2c_message(m, i); i++)
    fprintf(stderr, "%s\n", onnx2c_message(m, i));
  onnx2c_free(m);
  return (int)s;
}
