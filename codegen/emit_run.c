/* SPDX-License-Identifier: Apache-2.0 */
/* The text of <model>_run: its checks, and how the rows of the batch reach the
 * rows function, in blocks, by the caller's threads. */
#include "target.h"

#include <string.h>

/* An output whose shape the run tells: room for the sizes that d says. */
static void value_check(Plan *p, StrBuf *b, int k)
{
  DimPool *d = &p->m->dims;
  const Dim *n = dim_prod(d, p->out_dim[k], p->out[k]->rank);
  const char *field = p->out_field[k];
  /* The sizes' product, or less where something else bounds it. */
  const Dim *room[2] = { n, dim_upper(d, n) };
  sb_printf(b, "  if (!out->%s || (!out->%s->data && out->%s->size)", field,
            field, field);
  for (int i = 0; i < (room[0] == room[1] ? 1 : 2); i++) {
    sb_printf(b, "%s\n      %s(uint64_t)out->%s->size < (uint64_t)(",
              i ? " &&" : " ||", i || room[0] == room[1] ? "" : "(", field);
    dim_print(b, d, room[i], "d->");
    sb_printf(b, ") * %d", dtype_info(p->out[k]->dtype)->size);
  }
  sb_printf(b, "%s)\n    return O2C_E_ARG;\n", room[0] == room[1] ? "" : ")");
  if (p->out[k]->kind != VK_TENSOR)
    sb_printf(b, "  if ((uintptr_t)out->%s->data %% 16)\n"
              "    return O2C_E_ALIGN;\n", field);
}

/* Null pointers are an error unless their tensor is empty or optional. */
static void run_checks(Plan *p, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, p->a);
  if (p->narg)
    sb_puts(&b, "  if (!d)\n    return O2C_E_ARG;\n");
  sb_puts(&b, "  if (!dims_ok(d))\n    return O2C_E_DIMS;\n");
  for (int i = 0; i < p->g->nin + p->g->nout; i++) {
    bool in = i < p->g->nin;
    int k = in ? i : i - p->g->nin;
    const Dim *n = in ? dim_prod(&p->m->dims, p->in_dim[k], p->in[k]->rank)
                      : dim_prod(&p->m->dims, p->out_dim[k], p->out[k]->rank);
    if (!in && out_is_value(p, k)) {
      value_check(p, &b, k);
      continue;
    }
    sb_printf(&b, "  if (!%s->%s", in ? "in" : "out",
              in ? p->in_field[k] : p->out_field[k]);
    int64_t size;
    if (!dim_is_int(n, &size) || size == 0) {
      sb_puts(&b, " && (");
      dim_print(&b, &p->m->dims, n, "d->");
      sb_puts(&b, ") != 0");
    }
    sb_puts(&b, ")\n    return O2C_E_ARG;\n");
  }
  if (p->arena_static)
    sb_puts(&b, "  if (!ctx->fits)\n    return O2C_E_WORKSPACE;\n");
  else
    sb_printf(&b, "  need = %s_workspace_size(d, ctx->par.workers);\n"
              "  if (need == 0 || ctx->workspace_size < need)\n"
              "    return O2C_E_WORKSPACE;\n", p->name);
  emit_set_buf(plan, "RUN_CHECKS", &b);
}

/* A workspace of constant size is compared once. */
void emit_fits(Plan *p, StrBuf *plan)
{
  emit_set(plan, "FITS", p->arena_static ? "1" : "");
  emit_set(plan, "INIT_FITS", p->block
    ? arena_printf(p->a, "c->workspace_size / UINT64_C(%lld) >= "
                   "c->par.workers", (long long)plan_workspace(p))
    : arena_printf(p->a, "c->workspace_size >= UINT64_C(%lld) +\n"
                   "    (uint64_t)(c->par.workers - 1) * (uint64_t)%s",
                   (long long)plan_workspace(p), emit_room(p, "d->")));
}

/* Statuses at the heads of the workers' pieces: the first that is not O2C_OK.
 * Scratch of divided steps may lie there later. */
static void statuses_text(Plan *p, StrBuf *b)
{
  sb_printf(b,
    "static o2c_status blocks_status(const %s_ctx *ctx, const %s_dims *d,\n"
    "                                unsigned workers)\n{\n"
    "  o2c_status status = O2C_OK;\n  unsigned w;\n"
    "  for (w = 0; w < workers && status == O2C_OK; w++)\n"
    "    memcpy(&status, ctx->workspace + (size_t)w * WORKER_BYTES(d),\n"
    "           sizeof status);\n"
    "  (void)d;\n  return status;\n}\n\n", p->name, p->name);
}

/* A task over blocks of rows, and the loop that gives it to the workers. */
static void blocks_text(Plan *p, StrBuf *plan)
{
  const char *n = p->m->dims.sym[p->batch].c_name;
  StrBuf b;
  sb_init(&b, p->a);
  sb_printf(&b, "#define WORKER_BYTES(d) ((size_t)%s)\n\n",
            emit_workspace(p, "(d)->"));
  sb_printf(&b,
    "typedef struct {\n"
    "  const %s_ctx *ctx;\n"
    "  const %s_dims *d;\n"
    "  const %s_in *in;\n"
    "  const %s_out *out;\n"
    "  int64_t rows; /* of a block */\n%s"
    "} blocks;\n\n"
    "/* Each worker has its own piece of the workspace; a status that is not\n"
    " * O2C_OK stays at the piece's head. */\n"
    "static void run_blocks(void *arg, size_t begin, size_t end, "
    "unsigned worker)\n{\n"
    "  const blocks *b = (const blocks *)arg;\n"
    "  const int flush = (b->ctx->flags & O2C_FLUSH) != 0;\n"
    "  const uintptr_t mode = o2c_flush_begin(flush);\n"
    "  unsigned char *ws =\n"
    "    b->ctx->workspace + (size_t)worker * WORKER_BYTES(b->d);\n"
    "  %s_dims s = *b->d;\n"
    "  for (size_t k = begin; k < end; k++) {\n"
    "    const int64_t first = (int64_t)k * b->rows;\n"
    "    o2c_status status;\n"
    "    s.%s = O2C_MIN(b->d->%s - first, b->rows);\n"
    "    status = %s(b->ctx, ws, &s, b->in, b->out, first%s);\n",
    p->name, p->name, p->name, p->name, p->splits ? "  int alone;\n" : "",
    p->name, n, n, p->nlevel ? "b->ctx->run" : "run_rows",
    p->splits ? ", b->alone" : "");
  sb_puts(&b, p->head_bytes
    ? "    if (status != O2C_OK)\n      memcpy(ws, &status, sizeof status);\n"
    : "    (void)status;\n");
  sb_puts(&b, "  }\n  o2c_flush_end(flush, mode);\n}\n\n");
  if (p->head_bytes)
    statuses_text(p, &b);
  emit_set_buf(plan, "RUN_BLOCKS", &b);
}

/* How blocks reach the workers. Where steps are divided, too, each worker gets
 * equally many whole blocks, and the rest of the blocks is done one after the
 * other by all of them; not if most of the work is in steps that stay whole. */
static void blocks_call(Plan *p, StrBuf *b)
{
  const char *ended = !p->head_bytes ? "" :
    "      status = blocks_status(ctx, d, ctx->par.workers);\n"
    "      if (status != O2C_OK)\n        return status;\n";
  if (!plan_threads(p) || p->device) { /* a device has one stream */
    sb_puts(b, p->splits ? "    b.alone = 0;\n" : "");
    sb_puts(b, "    run_blocks(&b, 0, n, 0);\n");
    return;
  }
  sb_puts(b, p->splits ? "    b.alone = 1;\n" : "");
  sb_printf(b,
    "    if (ctx->par.workers > 1 && ctx->par.parallel_for)\n"
    "      whole = %s;\n"
    "    if (whole > 0) {\n"
    "      ctx->par.parallel_for(ctx->par.user, whole, 1, run_blocks, &b);\n"
    "%s    }\n%s"
    "    run_blocks(&b, whole, n, 0);\n",
    p->splits && split_most(p) ? "n - n % ctx->par.workers" : "n > 1 ? n : 0",
    ended, p->splits ? "    b.alone = 0;\n" : "");
}

static void run_body(Plan *p, StrBuf *plan)
{
  StrBuf b;
  sb_init(&b, p->a);
  if (!p->block) {
    emit_set(plan, "RUN_BLOCKS", "");
    emit_set(plan, "RUN_BODY", "  return run_once(ctx, d, in, out);\n");
    return;
  }
  blocks_text(p, plan);
  sb_puts(&b, "  {\n    const int64_t rows = ");
  dim_print(&b, &p->m->dims, p->rows, "d->");
  sb_printf(&b, ";\n"
    "    const size_t n = (size_t)((d->%s + rows - 1) / rows);\n"
    "%s%s"
    "    blocks b;\n"
    "    if (n == 1)\n      return run_once(ctx, d, in, out);\n"
    "    b.ctx = ctx;\n    b.d = d;\n    b.in = in;\n"
    "    b.out = out;\n    b.rows = rows;\n",
    p->m->dims.sym[p->batch].c_name,
    !plan_threads(p) || p->device ? "" : "    size_t whole = 0;\n",
    !p->head_bytes ? "" :
    !plan_threads(p) || p->device ? "    unsigned w;\n" :
    "    o2c_status status;\n    unsigned w;\n");
  if (p->head_bytes)
    sb_puts(&b, "    for (w = 0; w < ctx->par.workers; w++)\n"
            "      memset(ctx->workspace + (size_t)w * WORKER_BYTES(d), 0, "
            "64);\n");
  blocks_call(p, &b);
  sb_puts(&b, p->head_bytes ? "    return blocks_status(ctx, d, 1);\n  }\n"
                            : "    return O2C_OK;\n  }\n");
  emit_set_buf(plan, "RUN_BODY", &b);
}

void emit_run(Plan *p, StrBuf *plan)
{
  run_checks(p, plan);
  run_body(p, plan);
}
