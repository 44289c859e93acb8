/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for signals: HannWindow, HammingWindow, BlackmanWindow and
 * MelWeightMatrix. Their sizes are content of inputs; of constants they fold,
 * and else sizes are found at run time. */
#include <string.h>
#include "../ir.h"

static const struct { const char *op; double a[3]; } windows[] = {
  {"HannWindow", {0.5, 0.5, 0}},
  {"HammingWindow", {25.0 / 46, 21.0 / 46, 0}},
  {"BlackmanWindow", {0.42, 0.5, 0.08}},
};

#define TABLE_TYPES "num bf16"

/* The type that output_datatype names; DT_NONE after a diagnostic. */
static Dtype table_type(Node *n)
{
  int64_t t = attr_int(n, "output_datatype", DT_F32);
  if (t > 0 && t < DT_COUNT &&
      (typeset_parse(TABLE_TYPES, strlen(TABLE_TYPES)) & DT_BIT((Dtype)t)))
    return (Dtype)t;
  fail_model(n, "output_datatype is %lld (spec: a number's type)",
             (long long)t);
  return DT_NONE;
}

static bool scalars(Node *n)
{
  static const char *const name[] = {
    "number of bins", "DFT length", "sample rate", "lower edge", "upper edge"
  };
  for (int i = 0; i < n->nin; i++) {
    int64_t count;
    if (!dim_is_int(value_numel(n->in[i]), &count) || count == 1) continue;
    fail_model(n, "the %s has %lld elements (spec: one)",
               n->nin == 1 ? "size" : name[i], (long long)count);
    return false;
  }
  return true;
}

/* An output of these sizes. Those that the inputs do not tell (NULL) are what
 * the file declares, which the run compares, or found by it. */
static void table_out(Node *n, Dtype t, int rank, const Dim **dim)
{
  bool all = true;
  for (int i = 0; i < rank; i++) {
    int64_t v;
    if (dim[i] && dim_is_int(dim[i], &v) && v < 0) {
      fail_model(n, "size %d of the output is %lld (spec: at least 0)", i,
                 (long long)v);
      return;
    }
    all = all && dim[i];
    if (!dim[i]) dim[i] = infer_declared_dim(n, 0, rank, i);
  }
  if (all || infer_sizes(n, rank, NULL, dim)) infer_out(n, 0, t, rank, dim);
}

static void infer_window(Node *n)
{
  const Dim *dim[1];
  Dtype t;
  if (!infer_ready(n) || !scalars(n) || !(t = table_type(n))) return;
  dim[0] = infer_scalar(n, 0);
  table_out(n, t, 1, dim);
}

static void sizes_window(Lower *l, Node *n)
{
  lower_call(l, n, "size_scalar", n->in[0]->dtype, "iS", n->in[0]);
}

static void lower_window(Lower *l, Node *n)
{
  Value *y = n->out[0];
  const double *a = windows[0].a;
  for (int i = 0; i < COUNT(windows); i++)
    if (node_is(n, windows[i].op)) a = windows[i].a;
  lower_call(l, n, "window", y->dtype, "odkfff", y, y->dim[0],
             (int64_t)(attr_int(n, "periodic", 1) != 0), a[0], a[1], a[2]);
}

static void infer_mel(Node *n)
{
  DimPool *p = node_dims(n);
  const Dim *dim[2], *length;
  Dtype t;
  if (!infer_ready(n) || !scalars(n) || !(t = table_type(n))) return;
  length = infer_scalar(n, 1);
  dim[0] = !length ? NULL
    : dim_add(p, dim_div(p, length, dim_int(p, 2)), dim_int(p, 1));
  dim[1] = infer_scalar(n, 0);
  table_out(n, t, 2, dim);
}

static void sizes_mel(Lower *l, Node *n)
{
  lower_call(l, n, "size_mel", n->in[0]->dtype, "iiS", n->in[0], n->in[1]);
}

static void lower_mel(Lower *l, Node *n)
{
  Value *y = n->out[0], *in[5];
  for (int i = 1; i < 5; i++) in[i] = lower_real(l, n, n->in[i], DT_F64);
  lower_call(l, n, "mel", y->dtype, "oiiiidd", y, in[1], in[2], in[3], in[4],
             y->dim[0], y->dim[1]);
}

static const OpRow window_rows[] = {
  {17, "size:I -> output:T", "I=i32 i64; T=" TABLE_TYPES,
   "periodic:i output_datatype:i", NULL},
};
static const OpRow mel_rows[] = {
  {17, "num_mel_bins:I dft_length:I sample_rate:I lower_edge_hertz:F "
   "upper_edge_hertz:F -> output:T",
   "I=i32 i64; F=float bf16; T=" TABLE_TYPES, "output_datatype:i", NULL},
};

#define WINDOW(op) \
  {.name = op, .rows = window_rows, .nrow = COUNT(window_rows), \
   .infer = infer_window, .lower = lower_window, .sizes = sizes_window}
static const OpDef defs[] = {
  WINDOW("HannWindow"), WINDOW("HammingWindow"), WINDOW("BlackmanWindow"),
  {.name = "MelWeightMatrix", .rows = mel_rows, .nrow = COUNT(mel_rows),
   .infer = infer_mel, .lower = lower_mel, .sizes = sizes_mel},
};
OPS_DEFINE(signal, defs)
