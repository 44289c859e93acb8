m4_divert(-1)
SPDX-License-Identifier: 0BSD
cuda/trees.m4: ensembles of trees, by codegen/cuda/trees.c: leaves of all trees
and rows, then a row's sums by one thread, in the order of the trees.
  T TYPE                     of sums
  ROWS COLUMNS FEATURES      of x; how many columns the trees ask for
  COUNT                      rows, which may be none
  TREES TARGETS WAY          how many; what leaves do: `kind` of ref/trees.h
  FINISH                     the call that makes scores or classes of a row
m4_define(<%G_CUDA_TREES_KERNEL%>, <%m4_dnl
static __global__ void G_KERNEL_NAME<%%>$1(G_KERNEL_PARAMETERS,
    int *const fault)
{
G_KERNEL_OPEN<%%>G_UNUSED<%%>m4_dnl
  if (G_COLUMNS < G_FEATURES) {
    *fault = (int)O2C_E_SHAPE;
    return;
  }
$2<%%>m4_dnl
}
%>)
m4_define(<%G_CUDA_TREES%>, <%m4_dnl
G_CUDA_TREES_KERNEL(<%_walk%>, <%m4_dnl
  const G_INDEX count = G_COUNT * (G_INDEX)G_TREES;
  for (G_INDEX e = (G_INDEX)o2c_thread(); e < count;
       e += (G_INDEX)o2c_threads()) {
    const G_INDEX i = e % G_ROWS, t = e / G_ROWS;
    leaf[e] = o2c_ref_tree_leaf_<%%>G_TYPE<%%>(
        x + i * G_COLUMNS, node, value, root[t]);
  }
%>)m4_dnl
G_CUDA_TREES_KERNEL(<%%>, <%m4_dnl
  for (G_INDEX i = (G_INDEX)o2c_thread(); i < G_COUNT;
       i += (G_INDEX)o2c_threads()) {
    G_T *const row = y + i * G_TARGETS;
    unsigned char *const is = has + i * G_TARGETS;
    for (int k = 0; k < G_TARGETS; k++) {
      row[k] = 0;
      is[k] = 0;
    }
    for (G_INDEX t = 0; t < G_TREES; t++)
      o2c_ref_tree_add_<%%>G_TYPE<%%>(
          node + 4 * (int64_t)leaf[t * G_ROWS + i], target, weight, row, is,
          G_TARGETS, G_WAY);
    G_FINISH
  }
%>)m4_dnl
G_FUNCTION
{
  O2C_SPREAD(cu, G_KERNEL_NAME<%%>_walk, (int64_t)(G_COUNT) * G_TREES,
             G_ARGUMENTS, o2c_cuda_fault(cu));
  O2C_SPREAD(cu, G_KERNEL_NAME, G_COUNT, G_ARGUMENTS, o2c_cuda_fault(cu));
}
%>)
m4_divert(0)m4_dnl
