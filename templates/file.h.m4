m4_divert(-1)
SPDX-License-Identifier: 0BSD
file.h.m4: the header of a model. Texts are written by codegen/emit_h.c.
m4_define(<%G_FILE_H%>, <%m4_dnl
/* SPDX-License-Identifier: 0BSD */
/* G_HEADER_FILE: the interface of the model in G_MODEL_FILE.
G_PROVENANCE
 *
G_PORT_NOTES
 *
 * Use: give G_UPPER<%%>_CTX_SIZE bytes and a workspace to
 * G_NAME<%%>_init, then call G_NAME<%%>_run as often as you like.
 * Two contexts may run at once, one may not. Outputs must not overlap inputs
 * or the workspace. m4_dnl
G_IF(G_DEVICE, <%A run enqueues, G_NAME<%%>_wait ends it and all
 * before it: till then inputs stay as they are. G_NAME<%%>_init allocates on
 * the GPU, which G_NAME<%%>_deinit frees; a run allocates nothing there. The
 * first run of some dimensions is slow, as the libraries choose algorithms
 * for it.%>,
<%Nothing is allocated, and G_NAME<%%>_deinit only
 * marks the context as closed.%>) */
#ifndef G_UPPER<%%>_H
#define G_UPPER<%%>_H
#include "o2c.h"
G_IF(G_DEVICE, <%#include "o2c_cuda.h"
%>)<%%>m4_dnl
#if O2C_ABI_MAJOR != 1 || O2C_ABI_MINOR < 1
#error "use the o2c.h that came with the onnx2c which wrote this file"
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* Run-time dimensions of one call. */
typedef struct {
G_DIM_FIELDS<%%>m4_dnl
} G_NAME<%%>_dims;

/* Pointers to row-major tensors. */
typedef struct {
G_IN_FIELDS<%%>m4_dnl
} G_NAME<%%>_in;
typedef struct {
G_OUT_FIELDS<%%>m4_dnl
} G_NAME<%%>_out;
G_KEY_TABLES<%%>m4_dnl

/* Bytes of workspace: constant expressions. */
G_WORKSPACE_MACROS<%%>m4_dnl
#define G_UPPER<%%>_WORKSPACE_ALIGN 64u
#define G_UPPER<%%>_CTX_SIZE G_CTX_SIZE<%%>u
#define G_UPPER<%%>_CTX_ALIGN 16u
G_WEIGHTS_MACROS<%%>m4_dnl

typedef struct G_NAME<%%>_ctx G_NAME<%%>_ctx;

/* Bytes for these dims and workers; 0: out of range. */
size_t G_NAME<%%>_workspace_size(const G_NAME<%%>_dims *d, unsigned workers);
G_IF(G_DEVICE, <%/* Bytes of the GPU's arena for these dims; 0: out of range. */
size_t G_NAME<%%>_device_size(const G_NAME<%%>_dims *d);
/* What the GPU's libraries said last; "" if nothing failed. */
const char *G_NAME<%%>_message(const G_NAME<%%>_ctx *ctx);
/* What it has opened there: its weights, for further contexts, and counts. */
const o2c_cuda *G_NAME<%%>_cuda(const G_NAME<%%>_ctx *ctx);
%>)<%%>m4_dnl
o2c_status G_NAME<%%>_init(void *ctx_mem, size_t ctx_size,
    const o2c_config *cfg, G_NAME<%%>_ctx **ctx);
o2c_status G_NAME<%%>_run(G_NAME<%%>_ctx *ctx, const G_NAME<%%>_dims *d,
                    const G_NAME<%%>_in *in, const G_NAME<%%>_out *out);
/* Ends an asynchronous run; on a CPU a run has ended when it returns. */
o2c_status G_NAME<%%>_wait(G_NAME<%%>_ctx *ctx);
/* After O2C_E_CAPACITY: what was needed. NULL: no size depends on data. */
const G_NAME<%%>_dims *G_NAME<%%>_need(const G_NAME<%%>_ctx *ctx);
void G_NAME<%%>_deinit(G_NAME<%%>_ctx *ctx);
const o2c_model *G_NAME<%%>_model(void);
G_SIMPLE_DECL<%%>m4_dnl

#ifdef __cplusplus
}
#endif
#endif
%>)
m4_divert(0)m4_dnl
