/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the reference kernels that a node's record lowers to, at once: eval_node
 * on constant inputs, so that what generated code would compute is what gets
 * folded; eval_moves on the symbolic content of small integer tensors, for
 * operators that only move data, with 64-bit handles of Dims for numbers. */
#include <string.h>
#include "ir.h"

#define LARGEST ((int64_t)1 << 31) /* bytes of an evaluated output */

typedef struct { const Value *v; void *p; } Buf;
typedef struct {
  Lower l;
  Node *n;
  bool handles;  /* elements of data are Dims */
  bool ok;
  int status;    /* of the kernel that refused its data */
  int64_t *size; /* where OpDef.sizes leaves what it finds */
  Buf *buf;      /* outputs and scratch */
  int nbuf;
} Eval;

static void *eval_buf(Eval *e, const Value *v, void *p)
{
  e->buf = arena_grow(&e->l.m->arena, e->buf, e->nbuf, sizeof(Buf));
  e->buf[e->nbuf++] = (Buf){v, p};
  return p;
}

Arena *work_arena(const Node *n)
{
  Model *m = n->g->m;
  return m->work ? m->work : &m->arena;
}

static bool static_dims(const Value *v, int64_t *dim, int64_t *n)
{
  *n = 1;
  for (int i = 0; i < v->rank; i++) {
    if (!dim_is_int(v->dim[i], &dim[i]) || dim[i] < 0) return false;
    if (dim[i] && *n > LARGEST / dim[i]) return false;
    *n *= dim[i];
  }
  return v->rank >= 0;
}

const Dim *const *value_content(const Value *v, int *count)
{
  DtypeClass c;
  const Dim **d;
  int64_t dim[MAX_RANK], n;
  if (!v || v->rank < 0 || !static_dims(v, dim, &n) || n > SYM_CONTENT)
    return NULL;
  *count = (int)n;
  if (v->sym) return v->sym;
  c = dtype_info(v->dtype)->cls;
  if (!v->data || (c != DC_INT && c != DC_UINT && c != DC_BOOL)) return NULL;
  d = NEW(&v->g->m->arena, const Dim *, n + 1);
  for (int i = 0; i < n; i++)
    d[i] = dim_int(&v->g->m->dims, tensor_i64(v->data, i));
  return d;
}

/* An input that says where, not what: it stays numbers. */
static bool is_index(const Eval *e, const Value *v)
{
  return !strncmp(e->n->op_type, "Gather", 6) && v == node_in(e->n, 1);
}

static void *input_handles(Eval *e, const Value *v)
{
  int n = 0;
  const Dim *const *d = value_content(v, &n);
  uint64_t *h;
  if (!d) return NULL;
  h = NEW(&e->l.m->arena, uint64_t, n + 1);
  for (int i = 0; i < n; i++) h[i] = (uint64_t)(uintptr_t)d[i];
  return h;
}

/* RefArgs takes inputs and outputs alike. */
static void *address(Eval *e, const Tensor *t)
{
  const void *data = tensor_aligned(e->l.m, t);
  void *p;
  memcpy(&p, &data, sizeof p);
  return p;
}

static void *pointer(Eval *e, const CallArg *arg)
{
  int64_t dim[MAX_RANK], n;
  void *p = NULL;
  if (!arg->v) return NULL;
  for (int i = 0; i < e->nbuf; i++)
    if (e->buf[i].v == arg->v) return e->buf[i].p;
  if (arg->kind == 'o') {
    if (static_dims(arg->v, dim, &n)) /* scratch */
      p = eval_buf(e, arg->v, arena_array(work_arena(e->n), 16,
                                          (size_t)n + 1));
  } else if (e->handles && !is_index(e, arg->v)) {
    p = input_handles(e, arg->v);
  } else if (arg->v->data) {
    p = address(e, arg->v->data);
  }
  if (!p) e->ok = false;
  return p;
}

static int64_t number(Eval *e, const Dim *d)
{
  int64_t v = 0;
  if (!d || !dim_is_int(d, &v)) e->ok = false;
  return v;
}

static bool moves_only(const char *kernel)
{
  static const char *const name[] = {
    "strided", "pad", "gather", "gather_elements", "gather_nd"
  };
  for (int i = 0; i < COUNT(name); i++)
    if (!strcmp(kernel, name[i])) return true;
  return false;
}

/* The emit hook. */
static void run_call(Lower *l, const Call *c)
{
  Eval *e = l->user;
  RefArgs a = {0};
  int np = 0, nd = 0, nl = 0, nf = 0, status = 0;
  if (c->custom) e->ok = false; /* there is only its text */
  for (int i = 0; e->ok && i < c->narg; i++) {
    const CallArg *arg = &c->arg[i];
    int64_t *list;
    switch (arg->kind) {
    case 'i': case 'o': a.p[np++] = pointer(e, arg); break;
    case 'd': a.d[nd++] = number(e, arg->dim[0]); break;
    case 'f': a.f[nf++] = arg->f; break;
    case 'S': a.p[np++] = e->size; break;
    default:
      list = NEW(&l->m->arena, int64_t, arg->n + 1);
      for (int k = 0; k < arg->n; k++) list[k] = number(e, arg->dim[k]);
      a.L[nl++] = list;
    }
  }
  if (e->handles && !moves_only(c->kernel)) e->ok = false;
  if (!e->ok) return;
  e->ok = ref_run(c->kernel, e->handles ? DT_U64 : c->type, &a, &status) &&
          status == 0;
  e->status = status;
}

static bool lower_now(Eval *e)
{
  e->l.emit = run_call;
  e->l.user = e;
  e->ok = true;
  e->n->op->lower(&e->l, e->n);
  return e->ok;
}

/* Constant: inference has taken the content. */
static bool known(const Node *n)
{
  for (int i = 0; i < n->nout; i++)
    if (n->out[i] && !n->out[i]->data) return false;
  return true;
}

bool eval_node(Node *n)
{
  Eval e = {.n = n, .l.m = n->g->m};
  Arena *a = work_arena(n);
  int64_t dim[MAX_RANK], count, bytes;
  Tensor **t = NEW(&n->g->m->arena, Tensor *, n->nout + 1);
  if (n->op && (n->op->flags & OP_ELEMENTWISE) &&
      (!n->op->lower || ew_chain(n)))
    return ew_eval(n);
  if (!n->op || (n->op->flags & OP_RANDOM)) return false;
  if (!n->op->lower) return known(n);
  for (int i = 0; i < n->nin; i++)
    if (n->in[i] && (!n->in[i]->data || n->in[i]->bad)) return false;
  for (int i = 0; i < n->nout; i++) {
    Value *v = n->out[i];
    if (!v) continue;
    if (v->bad || v->dtype == DT_NONE || v->kind != VK_TENSOR) return false;
    bytes = dtype_info(v->dtype)->size;
    if (!static_dims(v, dim, &count) || count > LARGEST / bytes) return false;
    t[i] = tensor_new(a, v->dtype, v->rank, dim);
    t[i]->name = v->name;
    eval_buf(&e, v, address(&e, t[i]));
  }
  if (!lower_now(&e)) return false;
  for (int i = 0; i < n->nout; i++)
    if (n->out[i]) n->out[i]->data = t[i];
  return true;
}

bool eval_sizes(Node *n, int count, int64_t *size, int *status)
{
  Eval e = {.n = n, .l.m = n->g->m, .ok = true, .size = size};
  e.l.emit = run_call;
  e.l.user = &e;
  for (int i = 0; i < count; i++) size[i] = 0;
  n->op->sizes(&e.l, n);
  *status = e.status;
  return e.ok;
}

/* Handles come back as Dims; a handle of zero is Pad's default, the number. */
static void take_handles(Eval *e, Value *v, const uint64_t *h, int n)
{
  v->sym = NEW(&e->l.m->arena, const Dim *, n + 1);
  for (int i = 0; i < n; i++)
    v->sym[i] = h[i] ? (const Dim *)(uintptr_t)h[i] : dim_int(&e->l.m->dims, 0);
}

bool eval_moves(Node *n)
{
  Eval e = {.n = n, .l.m = n->g->m, .handles = true};
  int64_t dim[MAX_RANK], count[SYM_CONTENT];
  if (!n->op->lower || n->nout > SYM_CONTENT) return false;
  for (int i = 0; i < n->nout; i++) {
    Value *v = n->out[i];
    count[i] = 0;
    if (!v) continue;
    if (v->bad || (v->dtype != DT_I64 && v->dtype != DT_I32)) return false;
    if (!static_dims(v, dim, &count[i]) || count[i] > SYM_CONTENT) return false;
    eval_buf(&e, v, NEW(&e.l.m->arena, uint64_t, count[i] + 1));
  }
  if (!lower_now(&e)) return false;
  for (int i = 0, k = 0; i < n->nout; i++)
    if (n->out[i]) take_handles(&e, n->out[i], e.buf[k++].p, (int)count[i]);
  return true;
}
