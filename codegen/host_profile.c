/* SPDX-License-Identifier: Apache-2.0 */
/* bench --profile: the time of each step, beside what the step is.
 *
 * The program was made with --hooks, and the driver gives names and times
 * (o2c_driver.c). What a step is comes from a plan that is made here as the
 * program's was: the same model under the same options has the same steps.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const Step *step;
  const char *kernel, *shape;
  int64_t ns;
} Row;
typedef struct {
  Row *row;
  int n;
  int64_t ns;               /* of all */
} Profile;

static const Step *step_named(const Plan *p, Str name)
{
  for (const Step *s = p->first; s; s = s->next)
    if (strlen(s->name) == name.n && !memcmp(s->name, name.p, name.n))
      return s;
  return NULL;
}

static bool is_reference(const Step *s)
{
  return !strcmp(s->macro, "REF");
}

/* "ref strided": which of the reference kernels' files. */
static const char *kernel_of(Arena *a, const Step *s)
{
  const char *text = s->kernel_note;
  for (int i = 0; is_reference(s) && i < s->nref; i++)
    if (!i || strcmp(s->ref[i].file, s->ref[i - 1].file))
      text = arena_printf(a, "%s %s", text, s->ref[i].file);
  return text;
}

static const char *shape_of(Arena *a, const Step *s)
{
  for (int i = 0; i < s->nptr; i++) {
    const Value *v = s->ptr[i].v;
    if (s->ptr[i].kind == SP_OUT && v->kind == VK_TENSOR)
      return arena_printf(a, "%s %s", dtype_info(v->dtype)->name,
                          value_shape_text(v));
  }
  return "";
}

static bool collect(Arena *a, const Plan *p, const Result *r, Profile *out)
{
  if (r->nout != 3 || !r->out[0] || !r->out[1])
    return false;
  const Str *name = r->out[0]->data;
  int n = (int)r->out[0]->n;
  *out = (Profile){ .row = NEW(a, Row, n + 1), .n = n };
  for (int i = 0; i < n; i++) {
    Row *row = &out->row[i];
    row->step = step_named(p, name[i]);
    if (!row->step)
      return false;
    row->kernel = kernel_of(a, row->step);
    row->shape = shape_of(a, row->step);
    row->ns = tensor_i64(r->out[1], i);
    out->ns += row->ns;
  }
  return true;
}

static int slowest_first(const void *a, const void *b)
{
  const Row *x = a, *y = b;
  return x->ns != y->ns ? (x->ns < y->ns ? 1 : -1)
                        : strcmp(x->step->name, y->step->name);
}

static double share(const Profile *p, int64_t ns)
{
  return p->ns ? (double)ns / (double)p->ns : 0;
}

static void print_text(const Profile *p)
{
  int name = 4, kernel = 6, op = 8;
  int64_t ref = 0;
  for (int i = 0; i < p->n; i++) {
    const Row *r = &p->row[i];
    int a = (int)strlen(r->step->name), b = (int)strlen(r->kernel);
    int c = (int)strlen(r->step->node->op_type);
    name = a > name ? a : name;
    kernel = b > kernel ? b : kernel;
    op = c > op ? c : op;
    ref += is_reference(r->step) ? r->ns : 0;
  }
  printf("\n%7s %12s  %-*s  %-*s  %-*s  %s\n", "share", "ms", name, "step", op,
         "operator", kernel, "kernel", "output");
  for (int i = 0; i < p->n; i++) {
    const Row *r = &p->row[i];
    printf("%6.2f%% %12.6f  %-*s  %-*s  %-*s  %s\n", 100 * share(p, r->ns),
           (double)r->ns / 1e6, name, r->step->name, op,
           r->step->node->op_type, kernel, r->kernel, r->shape);
  }
  printf("%d steps, %.4f ms; %.2f%% on reference kernels\n", p->n,
         (double)p->ns / 1e6, 100 * share(p, ref));
}

static void print_json(Arena *a, const Profile *p)
{
  StrBuf b;
  sb_init(&b, a);
  sb_puts(&b, ", \"steps\": [");
  for (int i = 0; i < p->n; i++) {
    const Row *r = &p->row[i];
    const Node *n = r->step->node;
    sb_printf(&b, "%s\n  {\"step\": ", i ? "," : "");
    sb_json(&b, r->step->name);
    sb_printf(&b, ", \"node\": %d, \"name\": ",
              n->origin ? n->origin->index : -1);
    sb_json(&b, n->origin ? n->origin->name : "");
    sb_puts(&b, ", \"operator\": ");
    sb_json(&b, n->op_type);
    sb_puts(&b, ", \"kernel\": ");
    sb_json(&b, r->kernel);
    sb_printf(&b, ", \"reference\": %s, \"output\": ",
              is_reference(r->step) ? "true" : "false");
    sb_json(&b, r->shape);
    sb_printf(&b, ", \"min_ns\": %lld, \"share\": %.5f}", (long long)r->ns,
              share(p, r->ns));
  }
  sb_puts(&b, "]");
  fwrite(b.s, 1, b.n, stdout);
  sb_free(&b);
}

bool profile_print(Host *h, const Options *compiled, const Case *c,
                   const Result *r)
{
  Options o = *compiled;
  Profile profile;
  o.command = "compile";
  o.name = c->unit.prefix;
  Plan *p = NULL;
  Model *m = plan_model(&o, c->path, &p);
  bool ok = p && collect(&h->a, p, r, &profile);
  if (ok) {
    qsort(profile.row, (size_t)profile.n, sizeof *profile.row, slowest_first);
    if (h->opt->json)
      print_json(&h->a, &profile);
    else
      print_text(&profile);
  }
  model_free(m);
  return ok;
}
