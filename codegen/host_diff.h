/* SPDX-License-Identifier: Apache-2.0 */
/* onnx2c diff: what its files share. */
#ifndef O2C_HOST_DIFF_H
#define O2C_HOST_DIFF_H
#include "host.h"

/* host_tap.c */
typedef struct {
  Host *h;
  Proc proc;
  int fd;                  /* -1: closed */
  bool broken;             /* what came was no record */
} TapPipe;
typedef struct {
  int64_t id, first, rows; /* see runtime_min/o2c_tap.h */
  const Tensor *t;
  Arena a;                 /* of t; the caller frees it */
} TapRecord;
bool tap_open(Host *h, TapPipe *t, const char *program, const Job *job);
bool tap_next(TapPipe *t, TapRecord *r); /* false: the program has ended */
void tap_close(TapPipe *t);              /* and waits for the program */

/* host_layers.c: the layers that a program tells of. */
typedef struct {
  const char *step, *kernel, *nodes; /* nodes: of the file, as people write */
  const char *name;        /* of the tensor */
  Same same;
  int pass;                /* in which it came last; 0: none */
} Layer;
typedef struct {
  Layer *v;                /* by number of the tap */
  int n, nstep;
  int *wanted;             /* by id of the file: taps of it */
  int nfile;
  bool *leads;             /* by input: its leading axis is of the batch */
  int batch;               /* input whose axis 0 is the batch; -1: no blocks */
  int step_width, kernel_width;
} Layers;
/* The plan of c's program, made again. false: errors have been printed. */
bool layers_find(Host *h, const Case *c, Layers *l);
/* The tap's tensor as the file has it, in *a or where it was. */
const Tensor *layer_tensor(Arena *a, const Layer *l, const Tensor *t);

/* host_diff_two.c */
ExitCode diff_two(Host *h, const char *const *path);
/* host_diff.c: a line of the table. */
typedef struct {
  const char *step, *kernel, *nodes, *name;
  int step_width, kernel_width;
  const Tensor *got, *want;          /* want NULL: nothing to compare with */
  const Diff *d;                     /* NULL: the same */
} DiffLine;
void diff_line(Host *h, const DiffLine *l);
bool diff_save(Host *h, const char *label, const DiffLine *l);
#endif
