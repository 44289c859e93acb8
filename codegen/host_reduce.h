/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c reduce: what its files share. */
#ifndef O2C_HOST_REDUCE_H
#define O2C_HOST_REDUCE_H
#include "edit/edit.h"
#include "host.h"

typedef struct {
  NodeProto *n;
  const char **read;       /* names, those that its graphs read too */
  int nread;
  bool inner;              /* some of them only its graphs read */
} PartNode;
/* What a name of the main graph means. */
typedef struct {
  const char *name;
  int maker;               /* number of its node; -1: none */
  bool wanted;             /* some node reads it, or it is an output */
  ValueInfoProto *input, *output; /* as the file has them; or NULL */
  TensorProto *init;
  Onnx__SparseTensorProto *sparse;
  ValueInfoProto *info;    /* type and shape as inferred; NULL: not known */
  const Tensor *data;      /* what its node always makes; NULL: not known */
  TensorProto *constant;   /* that, as a message; made when needed */
  int mark, read;          /* the cuts that took it in, and read it, last */
} PartName;
/* The whole model, and how parts are made of it. */
typedef struct {
  Edit *e;
  Model *inferred;         /* owns the data */
  PartNode *node;          /* in an order in which they can run */
  int n;
  Map names;               /* -> PartName */
  ValueInfoProto **input;  /* of the model */
  size_t ninput;
  int serial;              /* of cuts */
} Whole;
/* Which nodes are kept; another one is left out, and what it made becomes an
 * input or a constant; or, with `by` >= 0, its output 0 is input `by`. */
typedef struct {
  bool *keep;
  int *by;
  bool outputs;            /* the model's outputs stay outputs if also read */
} Subset;

/* host_part.c */
bool whole_open(Whole *w, const Options *opt, const char *path);
void whole_close(Whole *w);
Subset subset_copy(const Whole *w, const Subset *c);
int subset_nodes(const Whole *w, const Subset *c);
/* The messages of w->e become those of the part; false: there is no such. */
bool subset_apply(Whole *w, const Subset *c);
/* May output 0 of node i be replaced by its input k? */
bool subset_fits(const Whole *w, int i, int k);
#endif
