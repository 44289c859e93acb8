/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of the user, by --custom Domain.Op=FILE (custom.c). */
#ifndef O2C_CUSTOM_H
#define O2C_CUSTOM_H
#include "ir.h"

enum { CUSTOM_PORTS = 8, CUSTOM_ATTRS = 16, CUSTOM_SIZES = 16 };

/* A tensor of a signature. `size` are texts: a number, a name, or, of an
 * output, a sum of products of them. `any`: of any rank; size[0] names the
 * number of elements. */
typedef struct {
  const char *name;
  Dtype type;
  int rank;
  const char *size[MAX_RANK];
  bool any, optional;
} CustomPort;
typedef struct {
  const char *name;
  bool real, needed;
  double value;          /* where the node has none */
} CustomAttr;

/* A signature in the file: one of the operator's functions, for some types. */
typedef struct CustomForm {
  const struct CustomForm *next;
  const char *function;
  CustomPort in[CUSTOM_PORTS], out[CUSTOM_PORTS];
  int nin, nout;
  CustomAttr attr[CUSTOM_ATTRS];
  int nattr;
  const char *size[CUSTOM_SIZES]; /* names in the order of their first use */
  int nsize;
} CustomForm;

typedef struct Custom {
  OpDef op;              /* a node's `op` points here */
  OpRow row;
  const struct Custom *next;
  const char *path, *text;
  const CustomForm *form;
} Custom;

void custom_read(Model *m); /* the files of --custom, to Model.custom */
const Custom *custom_of(const Node *n); /* NULL: not the user's */
/* As op_find, the user's operators first. */
const OpDef *custom_find(const Model *m, const char *domain, const char *name);
#endif
