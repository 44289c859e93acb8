/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of com.microsoft's quantised operators share: nodes of ONNX in
 * the place of one of theirs, made by its upgrade. */
#ifndef O2C_MS_QUANT_H
#define O2C_MS_QUANT_H
#include "ir.h"

/* DequantizeLinear of inputs in, in + 1 and (if there) in + 2 of `at`. */
Value *ms_dequantised(Node *at, int in);
/* QuantizeLinear of y by inputs scale and (if there) scale + 1 of `at`. */
Value *ms_quantised(Node *at, Value *y, int scale, Dtype t);
/* The product of integers a and b, scaled by sa and sb, plus a bias; the zero
 * points and the bias may be NULL. In ms_qproduct.c. */
Value *ms_scaled(Node *n, Value *a, Value *b, Value *az, Value *bz, Value *sa,
                 Value *sb, Value *bias);
/* y in the place of n and its output 0. */
void ms_becomes(Node *n, Value *y);
/* A node before `at`, whose attributes come next; then ms_made infers it. */
Node *ms_node(Node *at, const char *op, int nin, Value *const *in);
Value *ms_made(Node *c);
void ms_copy_attrs(Node *to, const Node *from, const char *const *names);
/* v, as a constant where it is made of constants: passes look for those. */
Value *ms_settled(Value *v);
Value *ms_transposed(Node *at, Value *x, const int64_t *perm);
/* Channels from the last axis to the second, or back. */
Value *ms_moved_channels(Node *at, Value *x, bool first);
#endif
