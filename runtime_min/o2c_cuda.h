/* SPDX-License-Identifier: 0BSD */
/* o2c_cuda.h: what a model for a GPU calls. Its model.c opens a device at init
 * and copies; its model.cu launches kernels and asks for products, convolutions
 * and attention, which o2c_cuda.c does by cuBLASLt and cuDNN. C99 and C++;
 * needs no header of CUDA.
 *
 * Work is enqueued on one stream, and nothing waits but o2c_cuda_get and
 * o2c_cuda_wait. An error stays: all that follows does nothing and gives the
 * status again, until o2c_cuda_start. */
#ifndef O2C_CUDA_H
#define O2C_CUDA_H
#include "o2c.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct o2c_cuda o2c_cuda;

/* A tensor of the weights: `bytes` from `from`, or where that is NULL from
 * `offset` behind `base`, to `at` behind the beginning of the device's. */
typedef struct {
  const void *from;
  size_t offset, bytes, at;
} o2c_cuda_weight;

typedef struct {
  const o2c_config *cfg;         /* the caller's: stream, flags, device */
  const unsigned char *base;     /* of weights in one piece */
  const o2c_cuda_weight *weight;
  size_t nweight, weight_bytes;
  unsigned nregion;              /* numbers of o2c_cuda_region */
  unsigned nlibrary;             /* `plan` numbers of the calls below */
  unsigned libraries;            /* that open starts; else their first call */
} o2c_cuda_setup;
#define O2C_CUDA_BLAS 1u /* for products */
#define O2C_CUDA_DNN 2u  /* for convolutions and attention */

/* Bytes at the arena's end that the libraries have for themselves. */
#define O2C_CUDA_SCRATCH 33554432u

/* O2C_E_DEVICE: no device, a driver that is too old, a library that failed;
 * O2C_E_WORKSPACE: no memory there, or an arena smaller than the scratch;
 * O2C_E_ARG: no cfg->device; O2C_E_ALIGN: an arena not aligned to 256. On an
 * error nothing stays allocated, and *text, if
 * text is not NULL, says why: a static string. */
o2c_status o2c_cuda_open(o2c_cuda **cu, const o2c_cuda_setup *setup,
                         const char **text);
void o2c_cuda_close(o2c_cuda *cu);

unsigned char *o2c_cuda_arena(const o2c_cuda *cu);
size_t o2c_cuda_arena_size(const o2c_cuda *cu);  /* without the scratch */
const unsigned char *o2c_cuda_weights(const o2c_cuda *cu);
void *o2c_cuda_stream(const o2c_cuda *cu);       /* cudaStream_t */
/* What failed last; "" if nothing has. Lives until the next call. */
const char *o2c_cuda_message(const o2c_cuda *cu);
/* How often a run waited for the device, from o2c_cuda_open on. */
uint64_t o2c_cuda_waits(const o2c_cuda *cu);

/* A run begins: forgets the last one's error, and what cudaGetLastError would
 * tell. The context's device is current until o2c_cuda_finish, which each run
 * ends with. */
void o2c_cuda_start(o2c_cuda *cu);
/* O2C_E_WORKSPACE where arena and scratch have less than so many bytes. */
o2c_status o2c_cuda_room(o2c_cuda *cu, size_t bytes);
/* O2C_E_ARG where the caller promised a device's pointer and it is none, or the
 * host's and it is none; p may be NULL. */
o2c_status o2c_cuda_check(o2c_cuda *cu, const void *p);
/* Copies in any direction; `from` must stay as it is until the run is waited
 * for, unless it is memory of the model's own. */
o2c_status o2c_cuda_copy(o2c_cuda *cu, void *to, const void *from,
                         size_t bytes);
/* From the host's workspace, to the device or the caller: `from` may change
 * afterwards. */
o2c_status o2c_cuda_put(o2c_cuda *cu, void *to, const void *from,
                        size_t bytes);
/* To the host's workspace: waits until it is there; for what the caller has on
 * the host it need not. */
o2c_status o2c_cuda_get(o2c_cuda *cu, void *to, const void *from,
                        size_t bytes);
/* A run ends, with this status so far: what kernels found wrong in data comes
 * to the host. The status, or what came of that. */
o2c_status o2c_cuda_finish(o2c_cuda *cu, o2c_status status);
/* Waits for the stream; the run's status. Runs that were enqueued before it
 * without a wait of their own are waited for too, and what was wrong in their
 * data is told. */
o2c_status o2c_cuda_wait(o2c_cuda *cu);

/* A region: steps that run on the device one after the other. Where one with
 * the same key (all that its steps depend on, at most 256 bytes) was recorded,
 * it is replayed as a CUDA graph and 0 comes back; else 1: run the steps. Both
 * ways o2c_cuda_end gives the status. Recorded is the second run of a key, as
 * the first one prepares what the libraries need. A recording that fails is
 * tried again in later runs, three times in all. */
int o2c_cuda_region(o2c_cuda *cu, unsigned region, const void *key,
                    size_t bytes);
o2c_status o2c_cuda_end(o2c_cuda *cu, unsigned region);
/* 1 after an o2c_cuda_end whose recording failed: nothing has run, so the
 * region is to be called once more, which then runs its steps. */
int o2c_cuda_again(o2c_cuda *cu);

/* Where kernels store an o2c_status that data call for: device memory. */
int *o2c_cuda_fault(o2c_cuda *cu);
/* After a launch: takes its error. */
void o2c_cuda_launched(o2c_cuda *cu);

/* The calls below take device memory, enqueue, and keep an error for
 * o2c_cuda_end. `plan` is a number of the call, from 0 to nlibrary - 1: what
 * was prepared for it is kept by that and by its sizes. Elements are O2C_F32,
 * O2C_F16 or O2C_BF16; sums are f32. Under `fast` f32 products may round their
 * factors to TF32. */

/* y = clamp(conv(x, w) + bias + residual): x [n, in.., c], w [k, kernel.., c /
 * groups], y and residual [n, out.., k], bias [k]: channels last. y may
 * be empty, no other extent is 0, and no padding is below 0. */
typedef struct {
  int32_t dtype, rank;         /* spatial axes: 1 to 3 */
  int64_t n, c, k, groups;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
  int64_t before[3], after[3]; /* padding */
  float lo, hi;                /* -INFINITY, INFINITY: no clamp; else lo is 0 */
  int32_t fast;
} o2c_cuda_conv_p;
void o2c_cuda_conv(o2c_cuda *cu, unsigned plan, const o2c_cuda_conv_p *p,
                   const void *x, const void *w, const void *bias,
                   const void *residual, void *y);

/* For each of `batch`: y [m, n] = clamp(alpha x [m, k] w [k, n] + bias + beta
 * residual), rows `x_row`, `w_row`, `y_row` elements apart, matrices `x_batch`
 * and so on (0: the same one). turned: x is [k, m], w is [n, k] in memory. bias
 * is [n], residual lies as y does; NULL: none. lo and hi are -INFINITY and
 * INFINITY or 0 and INFINITY. y may be empty; k is not 0. */
typedef struct {
  int32_t dtype;
  int32_t x_turned, w_turned;
  int64_t m, n, k, batch;
  int64_t x_row, w_row, y_row, x_batch, w_batch, y_batch;
  float alpha, beta, lo, hi;
  int32_t fast;
} o2c_cuda_matmul_p;
void o2c_cuda_matmul(o2c_cuda *cu, unsigned plan, const o2c_cuda_matmul_p *p,
                     const void *x, const void *w, const void *bias,
                     const void *residual, void *y);

/* Scaled dot-product attention of half types: y = softmax(scale q k^T + mask) v
 * for each batch and head; q [b, h, s, d], k [b, hk, t, d] and v [b, hk, t, dv]
 * by their strides (batch, head, row), h a multiple of hk; mask adds [.., s, t]
 * by its strides, NULL: none; causal: row i sees columns j <= i + t - s, and s
 * is at most t. The last axis of each operand is contiguous; a stride of the
 * mask may be 0. 0: nothing was done, as no kernel of cuDNN takes these sizes;
 * else 1, also where an error is kept. */
typedef struct {
  int32_t dtype, causal;
  int64_t b, h, hk, s, t, d, dv;
  int64_t q[3], k[3], v[3], y[3], mask[3];
  float scale;
} o2c_cuda_sdpa_p;
int o2c_cuda_sdpa(o2c_cuda *cu, unsigned plan, const o2c_cuda_sdpa_p *p,
                  const void *q, const void *k, const void *v, const void *mask,
                  void *y);

#ifdef __cplusplus
}
#endif
#endif
