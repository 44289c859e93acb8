m4_divert(-1)
SPDX-License-Identifier: 0BSD
trees_rank.m4: as trees.m4, by trees_rank.h.
m4_define(<%G_TREES_RANK%>,
<%  static const o2c_rank_p p = {
    .columns = G_COLUMNS, .trees = G_TREE_COUNT, .targets = G_TARGETS,
    .by_node = G_BY_NODE, .kind = G_KIND, .tests = G_TESTS,
    .wide = G_WIDE
  };
  const int64_t first = G_FIRST, rows = G_ROWS;
  o2c_trees_rank(x + first * G_COLUMNS, node, tree, limit, test, last, G_LEAF,
                 always, G_SUMS, is, row, room, G_PART,
                 rows, &p);
G_ENDING%>)
m4_divert(0)m4_dnl
