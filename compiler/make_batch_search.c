/* SPDX-License-Identifier: Apache-2.0 */
/* --make-batch: choices between axes, by trying. A try is a model of its own,
 * imported anew, since inference rewrites it. */
#include "make_batch.h"

#define MAX_RUNS 64

int rebatch_choose(Rebatch *r, int count, Node *n, uint64_t *used)
{
  BatchChoices *c = r->choices;
  if (count < 2 || c->at >= MAX_CHOICES) return 0;
  if (c->at == c->n) c->c[c->n++] = (BatchChoice){count, 0, n};
  c->c[c->at].node = n;
  *used |= (uint64_t)1 << c->at;
  return c->c[c->at++].taken;
}

bool choices_next(BatchChoices *c)
{
  if (++c->runs >= MAX_RUNS) return false;
  for (int k = c->n - 1; k >= 0; k--) {
    if (!(c->blame >> k & 1) || c->c[k].taken + 1 >= c->c[k].count) continue;
    c->c[k].taken++;
    c->n = k + 1;
    return true;
  }
  return false;
}

/* The next choice, from *k and *way on, that could have been another one and
 * decides where an output has its batch, which is not first there. */
static bool other_way(const Model *m, const BatchChoices *c, int *k, int *way)
{
  if (*k >= 0 && ++*way < c->c[*k].count) return true;
  for (++*k; *k < c->n; ++*k) {
    const BatchChoice *x = &c->c[*k];
    *way = x->taken + 1;
    if (m->rebatch->open >> *k & 1 && x->node && *way < x->count) return true;
  }
  return false;
}

static bool differs(const Model *m, const Model *other)
{
  for (int i = 0; i < m->main->nout; i++)
    if (m->rebatch->out[i].axis != other->rebatch->out[i].axis) return true;
  return false;
}

/* Would another choice give outputs with the batch elsewhere? Then it can't be
 * told which is meant. Batches that stand first are taken as they are. */
static void check_unique(BatchTry try_one, void *ctx, const Model *m,
                         const BatchChoices *made)
{
  int way = 0;
  for (int k = -1; other_way(m, made, &k, &way);) {
    BatchChoices c = *made;
    bool ok;
    c.c[k].taken = way;
    c.n = k + 1;
    Model *other = try_one(ctx, &c, &ok);
    bool both = ok && differs(m, other);
    model_free(other);
    if (!both) continue;
    Node *n = made->c[k].node;
    fail_unsupported(n, "--make-batch: several axes of the result, of shape "
                     "%s, could be the batch, and all that follows leaves "
                     "open which one is meant; reshape to one axis of size 1",
                     value_shape_text(n->out[0]));
    return;
  }
}

Model *rebatch_search(BatchTry try_one, void *ctx, bool *ok)
{
  BatchChoices c = {0};
  Model *first = try_one(ctx, &c, ok), *m = first;
  while (!*ok && m->rebatch && !m->panic_text && choices_next(&c)) {
    if (m != first) model_free(m);
    m = try_one(ctx, &c, ok);
  }
  if (m != first) model_free(*ok ? first : m);
  if (!*ok) return first;
  if (m->rebatch) check_unique(try_one, ctx, m, &c);
  *ok = !m->nerror;
  return m;
}
