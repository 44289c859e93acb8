m4_divert(-1)
SPDX-License-Identifier: 0BSD
trees.m4: sums over trees by trees_f32.h, and then scores or classes by
ref/trees.h; codegen/cpu/trees.c states the variables.
m4_define(<%G_TREES%>,
<%  static const o2c_trees_p p = {
    .columns = G_COLUMNS, .trees = G_TREE_COUNT, .targets = G_TARGETS,
    .mask = G_MASK, .shift = G_SHIFT, .by_node = G_BY_NODE, .equal = G_EQUAL,
    .kind = G_KIND, .wide = G_WIDE, .bits = G_BITS
  };
  const int64_t first = G_FIRST, rows = G_ROWS;
  o2c_trees_f32(x + first * G_COLUMNS, node, tree, G_LEAF, always,
                G_SUMS, is, key, G_PART, G_TEST, rows, &p);
G_ENDING%>)
m4_divert(0)m4_dnl
