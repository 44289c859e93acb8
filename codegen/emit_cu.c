/* SPDX-License-Identifier: Apache-2.0 */
/* The .cu file: the steps of the GPU, and its regions, which are functions
 * that model.c calls. A region is a run of steps on the device between two
 * copies, branches or ends of loops: launches that follow each other on one
 * stream, which the runtime records as a CUDA graph and replays. The skeleton
 * is templates/file.cu.m4. */
#include "emit_rows.h"

#include <string.h>

const char *device_runtime(int i)
{
  static const char *const name[] = {
    "o2c_cuda.h", "o2c_cuda_own.h", "o2c_cuda_graph.h", "o2c_cuda.c",
    "o2c_cuda_device.c", "o2c_cuda_plan.c", "o2c_cuda_blas.c",
    "o2c_cuda_graph.c", "o2c_cuda_dnn.c",
  };
  return i < COUNT(name) ? name[i] : NULL;
}

static const char *region_name(const Plan *p, int k)
{
  return arena_printf(p->a, "%s_region_%d", p->name, k);
}

static void step_call(Rows *r, const Step *s)
{
  const char **arg = NEW(r->p->a, const char *, s->nptr + 1);
  for (int i = 0; i < s->nptr; i++)
    arg[i] = rows_pointer(r, &s->ptr[i]);
  size_t line = r->b.n;
  sb_printf(&r->b, "  %s(cu", s->name);
  for (int i = 0; i < s->nptr; i++) {
    sb_puts(&r->b, ", ");
    emit_wrapped(&r->b, &line, arg[i], 4);
  }
  sb_puts(&r->b, s->symbols ? ", s);\n" : ");\n");
}

bool region_goes_on(const Step *s, const Step *next)
{
  return next && next->device && next->guard == s->guard &&
         next->depth == s->depth;
}

/* What a region's steps depend on but the arena: the run-time dimensions. Where
 * steps find some, those, and the rooms that the caller gave, which the slots
 * of the arena are made for. *open: text that makes the key. */
static const char *region_key(const Plan *p, const char **open)
{
  *open = "";
  if (!p->nfound)
    return p->narg ? "s, sizeof *s" : "NULL, 0";
  *open = arena_printf(p->a,
    "  struct {\n    %s found;\n    %s_dims room;\n  } key;\n"
    "  memset(&key, 0, sizeof key);\n"
    "  key.found = *s;\n  key.found.room = NULL;\n"
    "  key.found.need = NULL;\n  key.room = *s->room;\n",
    sizes_type(p), p->name);
  return "&key, sizeof key";
}

void region_call(Rows *r, Step *s, Step **last)
{
  Plan *p = r->p;
  const char *name = region_name(p, p->nregion);
  Rows in = { .p = p, .f = r->f, .device = true,
              .declared = NEW(p->a, bool, p->m->nvalue + 1) };
  sb_init(&in.b, p->a);
  if (!p->arena_static)
    rows_slots(&in, true, p->nfound ? "s->room->" : "s->");
  for (;; s = s->next) {
    step_call(&in, s);
    if (!region_goes_on(s, s->next))
      break;
  }
  *last = s;
  const char *open, *key = region_key(p, &open);
  if (!p->nregion)
    sb_init(&p->regions, p->a);
  sb_printf(&p->regions,
    "\nextern \"C\" o2c_status %s(o2c_cuda *cu, const %s *s)\n{\n"
    "  unsigned char *const dev = o2c_cuda_arena(cu);\n"
    "  const unsigned char *const w = o2c_cuda_weights(cu);\n"
    "  (void)dev, (void)w, (void)s;\n%s"
    "  if (!o2c_cuda_region(cu, %d, %s))\n    return o2c_cuda_end(cu, %d);\n"
    "%.*s  const o2c_status status = o2c_cuda_end(cu, %d);\n"
    "  return o2c_cuda_again(cu) ? %s(cu, s) : status;\n}\n",
    name, sizes_type(p), open, p->nregion, key, p->nregion,
    (int)in.b.n, in.b.s, p->nregion, name);
  sb_free(&in.b);
  sb_printf(&r->b, "  status = %s(ctx->cuda, s);\n"
            "  if (status != O2C_OK)\n    return status;\n", name);
  p->nregion++;
}

/* The pointer parameters of a step's function and of its kernel. */
static const char *parameters(const Step *s, const char *first, bool value,
                              size_t before)
{
  StrBuf b;
  sb_init(&b, s->plan->a);
  sb_puts(&b, first);
  size_t line = 0 - before; /* characters of the line before these */
  const char *sep = *first ? ", " : "";
  for (int i = 0; i < s->nptr; i++, sep = ", ") {
    StrBuf one;
    sb_init(&one, s->plan->a);
    emit_param(&one, &s->ptr[i]);
    sb_puts(&b, sep);
    emit_wrapped(&b, &line, arena_strn(s->plan->a, one.s, one.n), 4);
    sb_free(&one);
  }
  if (s->symbols) {
    sb_puts(&b, sep);
    emit_wrapped(&b, &line, arena_printf(s->plan->a, value ? "const %s dims"
                                         : "const %s *s",
                                         sizes_type(s->plan)), 4);
  }
  const char *text = arena_strn(s->plan->a, b.s, b.n);
  sb_free(&b);
  return text;
}

static const char *arguments(const Step *s)
{
  const char *text = "";
  for (int i = 0; i < s->nptr; i++)
    text = arena_printf(s->plan->a, "%s%s%s", text, i ? ", " : "",
                        s->ptr[i].name);
  return s->symbols ? arena_printf(s->plan->a, "%s%s*s", text,
                                   s->nptr ? ", " : "") : text;
}

static void put_step(const Step *s, StrBuf *plan)
{
  StrBuf b;
  Arena *a = s->plan->a;
  sb_init(&b, a);
  emit_banner(s, &b);
  emit_set_buf(plan, "BANNER", &b);
  emit_set(plan, "FUNCTION", arena_printf(a, "static void %s(%s)", s->name,
                                          parameters(s, "o2c_cuda *cu", false,
                                                     14 + strlen(s->name))));
  emit_set(plan, "KERNEL_NAME", arena_printf(a, "%s_kernel", s->name));
  emit_set(plan, "KERNEL_PARAMETERS", parameters(s, "", true,
                                             31 + strlen(s->name)));
  emit_set(plan, "KERNEL_OPEN", s->symbols
    ? arena_printf(a, "  const %s *const s = &dims;\n", sizes_type(s->plan))
    : "");
  emit_set(plan, "ARGUMENTS", arguments(s));
  for (int i = 0; i < s->nvar; i++)
    emit_set(plan, s->var[i].key, s->var[i].text);
  sb_printf(plan, "G_CUDA_STEP(<%%G_%s%%>)m4_dnl\n", s->macro);
  for (int i = 0; i < s->nvar; i++)
    sb_printf(plan, "G_UNSET(<%%%s%%>)m4_dnl\n", s->var[i].key);
}

void emit_cu_plan(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  emit_names(p, plan, f);
  StrBuf sizes;
  sb_init(&sizes, p->a);
  sizes_struct(p, &sizes);
  emit_set_buf(plan, "SIZES", &sizes);
  emit_set(plan, "REGIONS", arena_strn(p->a, p->regions.s, p->regions.n));
  sb_puts(plan, "G_FILE_CU_TOP<%%>m4_dnl\n");
  for (const Step *s = p->first; s; s = s->next)
    if (s->device)
      put_step(s, plan);
  sb_puts(plan, "G_FILE_CU_END");
}

const char *emit_device_size(Plan *p, const char *pre)
{
  StrBuf b;
  if (p->arena_static)
    return arena_printf(p->a, "(INT64_C(%lld) + O2C_CUDA_SCRATCH)",
                        (long long)((p->device_bytes + 255) / 256 * 256));
  sb_init(&b, p->a);
  sb_puts(&b, "(O2C_ALIGN_UP(INT64_C(64)");
  emit_slots(p, &b, true, pre);
  sb_puts(&b, ", 256) + O2C_CUDA_SCRATCH)");
  const char *text = arena_strn(p->a, b.s, b.n);
  sb_free(&b);
  return text;
}

/* The weights' table: where they are, and where they go. */
static void weights_table(Plan *p, StrBuf *b, const EmitFiles *f)
{
  int n = 0;
  sb_puts(b, "  static const o2c_cuda_weight weight[] = {\n");
  for (int k = 0; k < p->nweight; k++) {
    const Tensor *t = p->weight[k]->data;
    if (p->device_weight[k] < 0)
      continue;
    bool blob = weights_in_blob(p, f->mode, k);
    sb_printf(b, "    { %s, %lld, %lld, %lld },\n",
              blob ? "NULL" : weights_expr(p, f->mode, k),
              blob ? (long long)p->weight_offset[k] + WEIGHTS_HEADER : 0LL,
              (long long)(t->n * dtype_info(t->dtype)->size),
              (long long)p->device_weight[k]);
    n++;
  }
  sb_printf(b, n ? "  };\n" : "    { NULL, 0, 0, 0 }\n  };\n");
  sb_printf(b, "  setup.weight = weight;\n  setup.nweight = %d;\n", n);
}

/* Before a run: is there room, and are pointers what the caller promised? */
static void device_checks(Plan *p, StrBuf *b)
{
  sb_printf(b, "    o2c_cuda_room(ctx->cuda, %s_device_size(d));\n", p->name);
  for (int i = 0; i < p->g->nin + p->g->nout; i++) {
    bool in = i < p->g->nin;
    const Value *v = in ? p->g->in[i] : p->g->out[i - p->g->nin];
    if (v->kind != VK_TENSOR || v->dtype == DT_STR ||
        (!in && out_is_value(p, i - p->g->nin)))
      continue;
    sb_printf(b, "    o2c_cuda_check(ctx->cuda, %s->%s);\n", in ? "in" : "out",
              in ? p->in_field[i] : p->out_field[i - p->g->nin]);
  }
}

void emit_device(Plan *p, StrBuf *plan, const EmitFiles *f)
{
  emit_set(plan, "DEVICE", p->device ? "1" : "");
  if (!p->device)
    return;
  StrBuf b;
  sb_init(&b, p->a);
  for (int k = 0; k < p->nregion; k++)
    sb_printf(&b, "o2c_status %s(o2c_cuda *cu, const %s *s);\n",
              region_name(p, k), sizes_type(p));
  emit_set_buf(plan, "REGIONS", &b);
  sb_init(&b, p->a);
  weights_table(p, &b, f);
  emit_set_buf(plan, "DEVICE_WEIGHTS", &b);
  emit_set(plan, "DEVICE_WEIGHT_BYTES",
           arena_printf(p->a, "%lldu", (long long)p->device_weight_bytes));
  emit_set(plan, "NREGION", arena_printf(p->a, "%d", p->nregion));
  emit_set(plan, "NLIBRARY", arena_printf(p->a, "%d", p->nlibrary));
  emit_set(plan, "LIBRARIES", !p->uses_blas ? p->uses_dnn ? "O2C_CUDA_DNN" : "0"
           : p->uses_dnn ? "O2C_CUDA_BLAS | O2C_CUDA_DNN" : "O2C_CUDA_BLAS");
  emit_set(plan, "DEVICE_SIZE", emit_device_size(p, "d->"));
  sb_init(&b, p->a);
  device_checks(p, &b);
  emit_set_buf(plan, "DEVICE_CHECKS", &b);
}
