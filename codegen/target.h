/* SPDX-License-Identifier: Apache-2.0 */
/* Code generation: what a provider is, the plan it writes, and every
 * prototype of codegen/, by file.
 *
 * A Plan is a list of Steps. A Step becomes one static C function whose
 * parameters are pointers (inputs, outputs, weights, scratch) and whose body
 * is a template macro of templates/c (G_<MACRO>), and one call of it in the
 * model's rows function. All numbers are computed here; m4 places text.
 *
 *   Step *s = step_new(p, n, "POOL");        -> templates/c/pool.m4: G_POOL
 *   step_in(s, "x", x); step_out(s, "y", y); -> const float *x, float *y
 *   step_int(s, "OH", 56);                   -> the macro G_OH is 56
 *   step_kernel(s, "pool_f32.h");            -> kernel text is pasted once
 */
#ifndef O2C_TARGET_H
#define O2C_TARGET_H
#include "ir.h"

typedef struct Plan Plan;
typedef struct Step Step;
typedef struct Target Target;

typedef enum { SP_IN, SP_OUT, SP_SCRATCH } StepPtrKind;
typedef struct {
  StepPtrKind kind;
  const char *name;        /* of the C parameter */
  Value *v;                /* IN and OUT; a constant is a weight */
  Dtype dtype;
  const Dim *elements;     /* SCRATCH */
  int64_t offset;          /* bytes into v: views of a larger buffer */
} StepPtr;
typedef struct { const char *key, *text; } StepVar; /* G_<key> is text */
struct Step {
  Step *next;
  Plan *plan;
  Node *node;
  const char *macro;       /* "REF" is G_REF */
  const char *name;        /* C identifier: n12_conv1 */
  const char *kernel_note; /* "conv_f32 panel-16": for info and the banner */
  StepPtr *ptr;
  int nptr;
  StepVar *var;
  int nvar;
  bool status;             /* the function returns o2c_status */
  bool symbols;            /* the body uses `s`, the run-time dimensions */
  int64_t macs;            /* per row block's row; 0: not counted */
};

/* plan.c */
Step *step_new(Plan *p, Node *n, const char *macro);
void step_in(Step *s, const char *name, Value *v);
void step_out(Step *s, const char *name, Value *v);
void step_scratch(Step *s, const char *name, Dtype t, const Dim *elements);
void step_int(Step *s, const char *key, int64_t v);
void step_float(Step *s, const char *key, double v); /* "0.5f", "INFINITY" */
void step_dim(Step *s, const char *key, const Dim *d); /* may use symbols */
/* Our own C text only, never text of the model. */
void step_text(Step *s, const char *key, const char *fmt, ...) PRINTF(3, 4);
void step_kernel(Step *s, const char *file); /* of runtime_min/kernels */
const char *step_dim_text(Step *s, const Dim *d); /* for step_text */

/* A provider: cpu, later cuda. cpu/ref is the last and takes every node. */
struct Target {
  const char *name;
  bool (*supports)(const Node *n);
  double (*cost)(const Node *n);        /* seconds, for partitioning */
  void (*lower)(Plan *p, Node *n);      /* appends Steps */
};
#endif
