m4_divert(-1)
SPDX-License-Identifier: 0BSD
file.c.m4: the skeleton of a model's C file: what stands above the steps
(G_FILE_TOP), and the calls of the interface below them (G_FILE_END). Texts
are written by codegen/emit_c.c.
m4_define(<%G_FILE_TOP%>, <%m4_dnl
/* SPDX-License-Identifier: 0BSD */
/* G_SOURCE_FILE: the model in G_MODEL_FILE, as C.
G_PROVENANCE
 *
G_LAW_NOTE */
#include "G_HEADER_FILE"

#include <math.h>
#include <string.h>
#ifdef __FAST_MATH__
#error "compile without -ffast-math: results would differ from the model's"
#endif

G_IF(G_LEVELS, <%typedef o2c_status rows_fn(G_ROWS_PARAMETERS);
%>)<%%>m4_dnl
struct G_NAME<%%>_ctx {
  uint32_t magic, flags;
  unsigned char *workspace;
  size_t workspace_size;
G_IF(G_DEVICE, <%  o2c_cuda *cuda;
%>)<%%>m4_dnl
G_IF(G_FITS, <%  int fits; /* is the workspace large enough? */
%>)<%%>m4_dnl
  const unsigned char *weights;
  o2c_parallel par;
G_IF(G_HOOKS, <%  const o2c_hooks *hooks;
%>)<%%>m4_dnl
G_IF(G_NEED, <%  G_NAME<%%>_dims need;
%>)<%%>m4_dnl
G_IF(G_LEVELS, <%  rows_fn *run; /* the network, in this CPU's instructions */
%>)<%%>m4_dnl
};
/* A compile-time check that the header's size is enough. */
typedef char ctx_fits[sizeof(struct G_NAME<%%>_ctx) <= G_CTX_SIZE ? 1 : -1];
#define CTX_MAGIC UINT32_C(G_MAGIC)

/* A step of the network: not inlined, so that stack frames stay small; but a
 * step without locals is, where it takes no longer than a call. */
#ifdef __GNUC__
#define STEP static __attribute__((noinline))
#else
#define STEP static
#endif
#ifdef __OPTIMIZE__
#define SMALL_STEP static inline __attribute__((always_inline))
#else
#define SMALL_STEP STEP
#endif

G_IF(G_HOOKS, <%/* Before (end 0) and after (1) each step; by any worker. */
static void hook(const G_NAME<%%>_ctx *ctx, uint32_t node, const char *name,
                 int end)
{
  if (ctx->hooks && ctx->hooks->node)
    ctx->hooks->node(ctx->hooks->user, node, name, end);
}

%>)<%%>m4_dnl
@@O2C_KERNELS@@
@@O2C_WEIGHTS@@
G_SIZES<%%>m4_dnl
G_IF(G_SPLITS, <%
/* A step whose work may be divided among the caller's threads, and how it is
 * called: on elements [from, to) of its `total`. */
typedef struct o2c_share o2c_share;
typedef void o2c_share_step(const o2c_share *its, int64_t from, int64_t to,
                        unsigned worker);
struct o2c_share {
  const G_NAME<%%>_ctx *ctx;
  const G_SIZES_TYPE *s;
  unsigned char *further; /* scratch of worker 1, 2, ..: `each` bytes */
  size_t each;
  int alone; /* the threads have other samples to do */
  o2c_share_step *step;
  void *const *at; /* its pointers */
  int64_t total, unit;
};
G_IF(G_ROOM, <%
/* Scratch of this worker: for the first where pointer k says, for the others
 * `at` bytes behind the beginning of their own. */
static void *o2c_share_room(const o2c_share *its, int k, int64_t at,
                            unsigned worker)
{
  return worker ? its->further + (worker - 1) * its->each + at : its->at[k];
}
%>)%>)<%%>m4_dnl
%>)

The parameters of the rows function, as a declaration continues them.
m4_define(<%G_ROWS_PARAMETERS%>, <%m4_dnl
G_IF(G_NEED, <%%>, <%const %>)G_NAME<%%>_ctx *ctx,
                           unsigned char *ws,
                           const G_NAME<%%>_dims *G_ROWS_DIMS,
                           const G_NAME<%%>_in *in,
                           const G_NAME<%%>_out *out,
                           int64_t first<%%>G_ALONE%>)

m4_define(<%G_FILE_END%>, <%
G_IF(G_SPLITS, <%/* The task of a step. */
static void o2c_run_share(void *arg, size_t begin, size_t end, unsigned worker)
{
  const o2c_share *its = (const o2c_share *)arg;
  const int flush = (its->ctx->flags & O2C_FLUSH) != 0;
  const uintptr_t mode = o2c_flush_begin(flush);
  const int64_t to = (int64_t)end * its->unit;
  its->step(its, (int64_t)begin * its->unit, O2C_MIN(to, its->total), worker);
  o2c_flush_end(flush, mode);
}

/* Runs a step, by units, no fewer than `grain` at a time, and no fewer than
   `good`, as each range reads all weights, where workers don't lack work. */
static void o2c_share_out(o2c_share *its, o2c_share_step *step,
                          void *const *at, int64_t total, int64_t unit,
                          int64_t grain, int64_t good)
{
  const o2c_parallel *par = &its->ctx->par;
  const int64_t n = (total + unit - 1) / unit;
  if (good && par->workers)
    grain = O2C_MAX(grain, O2C_MIN(good, n / par->workers));
  its->step = step;
  its->at = at;
  its->total = total;
  its->unit = unit;
  if (its->alone || par->workers < 2 || !par->parallel_for || n < 2 * grain)
    step(its, 0, total, 0);
  else
    par->parallel_for(par->user, (size_t)n, (size_t)grain, o2c_run_share, its);
}

%>)<%%>m4_dnl
G_IF(G_DEVICE, <%/* Runs of steps on the GPU: G_DEVICE_FILE. */
G_REGIONS
%>)<%%>m4_dnl
G_ROWS_NOTE
static o2c_status run_rows(G_ROWS_PARAMETERS)
{
G_ROWS_BODY<%%>m4_dnl
  return O2C_OK;
}

@@O2C_ROWS_END@@
G_IF(G_LEVELS, <%
/* Row `want` of them, from 1 on, or for 0 the best that runs here. */
static rows_fn *rows_find(uint32_t want)
{
  const uint32_t lacks = ~o2c_cpu();
  size_t k = sizeof level_table / sizeof *level_table;
  while (k > 0 && (want ? k != want : (level_table[k - 1].needs & lacks) != 0))
    k--;
  return k > 0 && !(level_table[k - 1].needs & lacks) ? level_table[k - 1].run
                                                      : NULL;
}

%>)<%%>m4_dnl
static int dims_ok(const G_NAME<%%>_dims *d)
{
G_DIMS_CHECK<%%>m4_dnl
}

size_t G_NAME<%%>_workspace_size(const G_NAME<%%>_dims *d, unsigned workers)
{
  const unsigned count = O2C_MAX(workers, 1u);
  uint64_t n, further;
  if (!dims_ok(d))
    return 0;
  n = (uint64_t)G_WORKSPACE_EXPR;
  further = (uint64_t)G_FURTHER;
  if (n > SIZE_MAX / 2 || further > SIZE_MAX / 2 / count)
    return 0;
  return (size_t)(n + (count - 1) * further);
}

G_IF(G_DEVICE, <%size_t G_NAME<%%>_device_size(const G_NAME<%%>_dims *d)
{
  return dims_ok(d) ? (size_t)G_DEVICE_SIZE : 0;
}

static o2c_status open_device(G_NAME<%%>_ctx *ctx, const o2c_config *cfg)
{
  o2c_cuda_setup setup;
G_DEVICE_WEIGHTS<%%>m4_dnl
  setup.cfg = cfg;
  setup.base = ctx->weights;
  setup.weight_bytes = G_DEVICE_WEIGHT_BYTES;
  setup.nregion = G_NREGION;
  setup.nlibrary = G_NLIBRARY;
  setup.libraries = G_LIBRARIES;
  return o2c_cuda_open(&ctx->cuda, &setup,
                       cfg->device ? cfg->device->why : NULL);
}

const char *G_NAME<%%>_message(const G_NAME<%%>_ctx *ctx)
{
  return ctx && ctx->magic == CTX_MAGIC ? o2c_cuda_message(ctx->cuda) : "";
}

const o2c_cuda *G_NAME<%%>_cuda(const G_NAME<%%>_ctx *ctx)
{
  return ctx && ctx->magic == CTX_MAGIC ? ctx->cuda : NULL;
}

%>)<%%>m4_dnl
o2c_status G_NAME<%%>_init(void *ctx_mem, size_t ctx_size,
    const o2c_config *cfg, G_NAME<%%>_ctx **ctx)
{
  static const o2c_parallel none = { NULL, 1, NULL };
  G_NAME<%%>_ctx *c = (G_NAME<%%>_ctx *)ctx_mem;
  if (!ctx_mem || !cfg || !ctx || cfg->size < sizeof *cfg)
    return O2C_E_ARG;
  if (ctx_size < sizeof *c)
    return O2C_E_ARG;
  if ((uintptr_t)ctx_mem % G_UPPER<%%>_CTX_ALIGN ||
      (uintptr_t)cfg->workspace % G_UPPER<%%>_WORKSPACE_ALIGN)
    return O2C_E_ALIGN;
#ifdef O2C_NEEDS_AMX
  if (!(o2c_cpu() & O2C_CPU_AMX))
    return O2C_E_DEVICE; /* the system does not grant its registers */
#endif
G_INIT_WEIGHTS<%%>m4_dnl
G_IF(G_LEVELS, <%  c->run = rows_find(cfg->flags >> 24);
  if (!c->run)
    return O2C_E_DEVICE;
%>)<%%>m4_dnl
  c->workspace = (unsigned char *)cfg->workspace;
  c->workspace_size = cfg->workspace ? cfg->workspace_size : 0;
  c->par = G_PARALLEL;
G_IF(G_FITS, <%  c->fits = G_INIT_FITS;
%>)<%%>m4_dnl
G_IF(G_HOOKS, <%  c->hooks = cfg->hooks;
%>)<%%>m4_dnl
  c->flags = cfg->flags;
G_IF(G_DEVICE, <%  {
    const o2c_status status = open_device(c, cfg);
    if (status != O2C_OK)
      return status;
  }
%>)<%%>m4_dnl
  c->magic = CTX_MAGIC;
  *ctx = c;
  return O2C_OK;
}

/* All rows, or a single block of them, without workers. */
static o2c_status run_once(G_IF(G_NEED, <%%>, <%const %>)G_NAME<%%>_ctx *ctx,
                           const G_NAME<%%>_dims *d, const G_NAME<%%>_in *in,
                           const G_NAME<%%>_out *out)
{
  const int flush = (ctx->flags & O2C_FLUSH) != 0;
  const uintptr_t mode = o2c_flush_begin(flush);
  const o2c_status status =
    G_CALL_ROWS<%%>(ctx, ctx->workspace, d, in, out, 0<%%>G_NOT_ALONE);
  o2c_flush_end(flush, mode);
  return status;
}

G_RUN_BLOCKS<%%>m4_dnl
G_IF(G_DEVICE, <%static o2c_status run_all(G_NAME<%%>_ctx *ctx,
                          const G_NAME<%%>_dims *d, const G_NAME<%%>_in *in,
                          const G_NAME<%%>_out *out)
{
G_RUN_BODY<%%>m4_dnl
}

%>)<%%>m4_dnl
o2c_status G_NAME<%%>_run(G_NAME<%%>_ctx *ctx, const G_NAME<%%>_dims *d,
                    const G_NAME<%%>_in *in, const G_NAME<%%>_out *out)
{
G_IF(G_FITS, <%%>, <%  size_t need;
%>)<%%>m4_dnl
  if (!ctx || ctx->magic != CTX_MAGIC || !in || !out)
    return O2C_E_ARG;
G_RUN_CHECKS<%%>m4_dnl
G_IF(G_DEVICE, <%  {
    o2c_status status;
    o2c_cuda_start(ctx->cuda);
G_DEVICE_CHECKS<%%>m4_dnl
    status = o2c_cuda_check(ctx->cuda, NULL); /* of all before */
    if (status == O2C_OK)
      status = run_all(ctx, d, in, out);
    return o2c_cuda_finish(ctx->cuda, status);
  }
%>, <%G_RUN_BODY<%%>m4_dnl
%>)<%%>m4_dnl
}

o2c_status G_NAME<%%>_wait(G_NAME<%%>_ctx *ctx)
{
G_IF(G_DEVICE, <%  if (!ctx || ctx->magic != CTX_MAGIC)
    return O2C_E_ARG;
  return o2c_cuda_wait(ctx->cuda);
%>, <%  return ctx && ctx->magic == CTX_MAGIC ? O2C_OK : O2C_E_ARG;
%>)<%%>m4_dnl
}

const G_NAME<%%>_dims *G_NAME<%%>_need(const G_NAME<%%>_ctx *ctx)
{
G_IF(G_NEED, <%  return ctx ? &ctx->need : NULL;
%>, <%  (void)ctx;
  return NULL;
%>)<%%>m4_dnl
}

void G_NAME<%%>_deinit(G_NAME<%%>_ctx *ctx)
{
G_IF(G_DEVICE, <%  if (ctx && ctx->magic == CTX_MAGIC)
    o2c_cuda_close(ctx->cuda);
%>)<%%>m4_dnl
  if (ctx)
    ctx->magic = 0;
}

/* The same, type-erased: dims and pointers arrive as arrays. */
static G_NAME<%%>_dims dims_of(const int64_t *dim)
{
  G_NAME<%%>_dims d;
G_ERASED_DIMS<%%>m4_dnl
  return d;
}

static size_t erased_workspace_size(const int64_t *dim, unsigned workers)
{
  const G_NAME<%%>_dims d = dims_of(dim);
  return G_NAME<%%>_workspace_size(&d, workers);
}

static o2c_status erased_init(void *mem, size_t size, const o2c_config *cfg,
                              void **ctx)
{
  G_NAME<%%>_ctx *c = NULL;
  const o2c_status status = G_NAME<%%>_init(mem, size, cfg, &c);
  if (status == O2C_OK)
    *ctx = c;
  return status;
}

static o2c_status erased_run(void *ctx, const int64_t *dim,
                             const void *const *in, void *const *out)
{
  const G_NAME<%%>_dims d = dims_of(dim);
  G_NAME<%%>_in i;
  G_NAME<%%>_out o;
  o2c_status status;
G_ERASED_PORTS<%%>m4_dnl
  status = G_NAME<%%>_run((G_NAME<%%>_ctx *)ctx, &d, &i, &o);
G_ERASED_MAPS<%%>m4_dnl
  return status;
}

static o2c_status erased_wait(void *ctx)
{
  return G_NAME<%%>_wait((G_NAME<%%>_ctx *)ctx);
}

static void erased_need(const void *ctx, int64_t *dim)
{
G_IF(G_NEED, <%  const G_NAME<%%>_ctx *c = (const G_NAME<%%>_ctx *)ctx;
G_ERASED_NEED<%%>%>, <%  (void)ctx;
  (void)dim;
%>)<%%>m4_dnl
}

static void erased_deinit(void *ctx)
{
  G_NAME<%%>_deinit((G_NAME<%%>_ctx *)ctx);
}

G_IF(G_DEVICE, <%static size_t erased_device_size(const int64_t *dim)
{
  const G_NAME<%%>_dims d = dims_of(dim);
  return G_NAME<%%>_device_size(&d);
}

static const char *erased_message(const void *ctx)
{
  return G_NAME<%%>_message((const G_NAME<%%>_ctx *)ctx);
}

%>)<%%>m4_dnl
static void out_shape(const int64_t *dim, uint32_t k, int64_t *shape)
{
  const G_NAME<%%>_dims dims = dims_of(dim), *const d = &dims;
  (void)d;
  switch (k) {
G_OUT_SHAPES<%%>m4_dnl
  default:
    (void)shape;
  }
}

G_PORT_TABLES<%%>m4_dnl

const o2c_model *G_NAME<%%>_model(void)
{
  static const o2c_model model = {
    O2C_ABI_MAJOR, O2C_ABI_MINOR, "G_NAME", G_FILE_STRING,
    "G_SHA256",
    G_NIN, G_NOUT, G_NDIM, G_NMETA, G_IN_TABLE, G_OUT_TABLE, G_DIM_TABLE,
    G_META_TABLE,
    G_UPPER<%%>_CTX_SIZE, G_UPPER<%%>_CTX_ALIGN, G_UPPER<%%>_WORKSPACE_ALIGN,
    G_WEIGHTS_FILE_SIZE, erased_workspace_size, erased_init, erased_run,
    erased_wait, erased_need, erased_deinit, out_shape,
    G_IF(G_DEVICE, <%erased_device_size, erased_message%>, <%NULL, NULL%>)
  };
  return &model;
}
G_SIMPLE_CALL<%%>m4_dnl
%>)
m4_divert(0)m4_dnl
