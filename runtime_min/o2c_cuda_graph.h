/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda_graph.h: graphs of operations for cuDNN, as o2c_cuda_graph.c builds
 * them for o2c_cuda_dnn.c. Calls that fail note why in the graph, and then all
 * that follow do nothing. Not for models. */
#ifndef O2C_CUDA_GRAPH_H
#define O2C_CUDA_GRAPH_H
#include "o2c_cuda_own.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DNN_MADE 112 /* descriptors of a graph */
#define DNN_OPS 20   /* operations of a graph */

/* Tensors by the numbers that cuDNN knows them by: memory, then scalars that
 * it reads from the host, then what stays inside of a graph. */
enum {
  DNN_X, DNN_W, DNN_BIAS, DNN_RESIDUAL, DNN_Y, DNN_Y_AGAIN, DNN_Q, DNN_K, DNN_V,
  DNN_MASK, DNN_SCALE, DNN_ROWS, DNN_COLUMNS, DNN_NOTHING,
  DNN_UIDS, DNN_INSIDE = 100
};

typedef cudnnBackendDescriptor_t dnn_desc;

typedef struct {
  int64_t rank, dim[5], stride[5];
} dnn_shape;

/* How a convolution's kernel moves. */
typedef struct {
  int64_t axes, stride[3], dilation[3], before[3], after[3];
} dnn_window;

/* A graph and its plans. What they were made from stays as long as they do,
 * as cuDNN does not say that it takes copies. */
typedef struct {
  dnn_desc made[DNN_MADE], op[DNN_OPS], plan[O2C_CUDA_TRIES];
  int nmade, nop, nplan, chosen, ninside, nuid;
  int64_t uid[DNN_UIDS];
  cudnnStatus_t status; /* of the first call that failed, and its name */
  const char *call;
  char why[256];
} dnn_graph;

void o2c_dnn_clear(dnn_graph *g);

/* Tensors: at p, which engines must not expect to be aligned better than it
 * is; inside of the graph; one number that the host has. */
dnn_desc o2c_dnn_memory(dnn_graph *g, int64_t uid, cudnnDataType_t type,
                        const dnn_shape *shape, const void *p);
dnn_desc o2c_dnn_inside(dnn_graph *g, cudnnDataType_t type,
                        const dnn_shape *shape);
dnn_desc o2c_dnn_scalar(dnn_graph *g, int64_t uid, cudnnDataType_t type,
                        int64_t rank);

/* y = mode(x, b), b NULL where the mode takes none. */
void o2c_dnn_pointwise(dnn_graph *g, cudnnPointwiseMode_t mode,
                       cudnnDataType_t math, dnn_desc x, dnn_desc b,
                       dnn_desc y);
/* y = x, at least 0 and at most upper. */
void o2c_dnn_relu(dnn_graph *g, dnn_desc x, dnn_desc y, double upper);
/* y = index of x's element along an axis. */
void o2c_dnn_index(dnn_graph *g, dnn_desc x, dnn_desc y, int64_t axis);
/* y = which ? x : b. */
void o2c_dnn_select(dnn_graph *g, dnn_desc which, dnn_desc x, dnn_desc b,
                    dnn_desc y);
void o2c_dnn_matmul(dnn_graph *g, dnn_desc a, dnn_desc b, dnn_desc c);
void o2c_dnn_reduce(dnn_graph *g, cudnnReduceTensorOp_t mode, dnn_desc x,
                    dnn_desc y);
void o2c_dnn_convolve(dnn_graph *g, const dnn_window *window, dnn_desc x,
                      dnn_desc w, dnn_desc y);

/* Up to `most` plans of the graph whose operations were added; 0: none, and
 * why is noted. exact: factors of type f32 are not rounded. */
int o2c_dnn_plan(dnn_graph *g, const o2c_cuda *cu, int exact, int most);
/* Enqueues a plan on tensors given by their numbers; 0: failed. */
int o2c_dnn_execute(o2c_cuda *cu, dnn_graph *g, int which, void *const *at);

#ifdef __cplusplus
}
#endif
#endif
