/* SPDX-License-Identifier: Apache-2.0 */
/* Conv, ConvTranspose. The window is window.c's; integer convolutions, which
 * share it, are in qlinear.c. */
#include "ir.h"

static void infer_windows(Node *n, bool (*geometry)(const Node *, ConvGeom *))
{
  ConvGeom g;
  const Dim *dim[MAX_RANK];
  const Value *b = node_in(n, 2);
  if (!infer_geometry(n, geometry, &g))
    return;
  if (b && b->rank != 1) {
    fail_model(n, "bias is rank %d (spec: 1)", b->rank);
    return;
  }
  if (b && !infer_equal(n, b->dim[0], g.filters, "elements of bias, filters"))
    return;
  int rank = geometry_out(&g, dim);
  infer_out(n, 0, node_in(n, 0)->dtype, rank, dim);
}

static void infer_conv(Node *n)
{
  infer_windows(n, conv_geometry);
}

static void infer_conv_transpose(Node *n)
{
  infer_windows(n, conv_transpose_geometry);
}

static void lower_windows(Lower *l, Node *n, const char *kernel,
                          const ConvGeom *g)
{
  Value *x = node_in(n, 0);
  lower_call(l, n, kernel, x->dtype, "iiiodddkkkDDDKKK", x, node_in(n, 1),
             node_in(n, 2), node_out(n, 0), g->batch, g->channels, g->filters,
             g->group, (int64_t)g->n, (int64_t)g->channels_last, g->in, g->n,
             g->out, g->n, g->begin, g->n, g->kernel, g->n, g->stride, g->n,
             g->dilation, g->n);
}

static void lower_conv(Lower *l, Node *n)
{
  ConvGeom g;
  if (conv_geometry(n, &g))
    lower_windows(l, n, "conv", &g);
}

static void lower_conv_transpose(Lower *l, Node *n)
{
  ConvGeom g;
  if (conv_transpose_geometry(n, &g))
    lower_windows(l, n, "conv_transpose", &g);
}

#define ATTRS "group:i pads:I auto_pad:s strides:I dilations:I kernel_shape:I"

static const OpRow conv_rows[] = {
  { 1, "X:T W:T B:T? -> Y:T", "T=float", ATTRS, NULL },
  { 11, NULL, NULL, NULL, NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};
static const OpRow conv_transpose_rows[] = {
  { 1, "X:T W:T B:T? -> Y:T", "T=float",
    ATTRS " output_padding:I output_shape:I", NULL },
  { 11, NULL, NULL, NULL, NULL },
  { 22, NULL, "T=float bf16", NULL, NULL },
};

static const OpDef defs[] = {
  { .name = "Conv", .rows = conv_rows, .nrow = COUNT(conv_rows),
    .infer = infer_conv, .lower = lower_conv, .axis = geometry_axis },
  { .name = "ConvTranspose", .rows = conv_transpose_rows,
    .nrow = COUNT(conv_transpose_rows), .infer = infer_conv_transpose,
    .lower = lower_conv_transpose, .axis = geometry_axis },
};

OPS_DEFINE(conv, defs)
