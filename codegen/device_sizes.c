/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of nodes that a GPU runs.
 *
 * Where a few numbers tell them, the CPU computes them from copies: the node
 * o2c.Sizes before the node reads what that read, and its step is that of the
 * node's own hook. Where the data itself tells (NonZero), o2c.FindSizes finds
 * them on the GPU, they are copied, and o2c.TakeSizes takes them; what else it
 * found is its second output.
 */
#include "target.h"

#include <string.h>

enum { FEW = 64 };

static void check_few(Lower *l, const Call *c)
{
  bool *few = l->user;
  int64_t n;
  *few = *few && !c->custom && c->type != DT_STR;
  for (int i = 0; i < c->narg; i++) {
    const CallArg *arg = &c->arg[i];
    if (arg->kind == 'o' ||
        (arg->kind == 'i' && arg->v &&
         (!dim_is_int(value_numel(arg->v), &n) || n > FEW)))
      *few = false;
  }
}

/* A few numbers tell the sizes. */
static bool few_tell(const Plan *p, const Node *n)
{
  bool few = n->op && n->op->sizes;
  Lower l = { .m = p->m, .emit = check_few, .user = &few };
  if (few)
    n->op->sizes(&l, (Node *)(uintptr_t)n);
  return few;
}

static bool gpu_finds(const Plan *p, const Node *n, Dtype *t,
                      const Dim **elements)
{
  const Target *gpu = target_find("cuda");
  return gpu->finds && gpu->finds(p, n, t, elements);
}

bool device_may_size(const Plan *p, const Node *n)
{
  const Dim *elements;
  Dtype t;
  return few_tell(p, n) || gpu_finds(p, n, &t, &elements);
}

static Node *before(Plan *p, Node *n, const char *type, int nin, int nout)
{
  Node *z = node_new(p->g, n, type, nin, nout, n);
  z->domain = "o2c";
  z->op = op_find("o2c", type);
  z->size = n->size;
  z->nsize = n->nsize;
  return z;
}

Node *device_sizes(Plan *p, Node *n)
{
  const Dim *count = dim_int(&p->m->dims, n->nsize), *kept;
  Dtype t;
  bool data = gpu_finds(p, n, &t, &kept);
  Node *z = before(p, n, data ? "FindSizes" : "Sizes", n->nin, data ? 2 : 0);
  for (int i = 0; i < n->nin; i++)
    node_set_input(z, i, n->in[i]);
  z->device = data;
  if (data) {
    z->nsize = 0;
    node_set_output(z, 0, value_new(p->g, "sizes", DT_I64, 1, &count));
    node_set_output(z, 1, value_new(p->g, "found", t, 1, &kept));
  }
  return z;
}

void device_sizes_end(Plan *p, Node *n)
{
  Node *find = n->prev;
  if (!node_is_internal(find, "FindSizes"))
    return;
  Node *take = before(p, n, "TakeSizes", 1, 0);
  node_set_input(take, 0, transfer_new(p, find->out[0], false));
}

/* By the node's own hook, from what `z` reads. */
static void lower_few(Plan *p, Node *z)
{
  Node *n = z->next;
  Value **own = n->in;
  n->in = z->in;
  lower_sizes(p, n);
  n->in = own;
}

static void lower_take(Plan *p, Node *z)
{
  Node *n = z->next;
  StrBuf b;
  Step *s = step_new(p, n, "REF");
  step_in(s, "found", z->in[0]);
  sb_init(&b, p->a);
  sb_puts(&b, "  o2c_status status = O2C_OK;\n");
  for (int i = 0; i < n->nsize; i++)
    step_take_size(s, &b, n->size[i], arena_printf(p->a, "found[%d]", i));
  step_text(s, "BODY", "%.*s", (int)b.n, b.s);
  s->kernel_note = "sizes";
  sb_free(&b);
}

bool lower_device_sizes(Plan *p, Node *n)
{
  if (node_is_internal(n, "Sizes"))
    lower_few(p, n);
  else if (node_is_internal(n, "TakeSizes"))
    lower_take(p, n);
  else
    return false;
  p->last->sizing = true;
  return true;
}
