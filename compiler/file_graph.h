/* SPDX-License-Identifier: Apache-2.0 */
/* The graph as the file has it, for who shows it: file_graph.c. */
#ifndef O2C_FILE_GRAPH_H
#define O2C_FILE_GRAPH_H
#include "ir.h"

/* Copies what import made, functions inlined, before inference and passes
 * change it: to be called once, behind schema_check. */
void file_graph_take(Model *m);
/* Remembers types and shapes: after inference, before passes change layouts. */
void file_graph_shapes(Model *m);
/* How many nodes there are of "Conv-11": keys of `map`, values int *. */
void file_graph_count(const Model *m, Map *map);
/* ,"tensors": [..],"graph": {..} of a report; nothing where none was taken. */
void file_graph_json(StrBuf *b, Model *m);
#endif
