/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: any bytes, read as a model. A run must end in a Model with
 * an error or without, in bounded time and memory, and never in a crash.
 *
 * No files of seeds: what is shorter than START bytes mutates to a good model
 * with something of everything, so a run from nothing starts from there. */
#include "pbwriter.h"

#define START 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed)
{
  if (size < START) {
    StrBuf b = {0};
    w_rich_model(&b);
    size = b.n < max ? b.n : max;
    memcpy(data, b.s, size);
    sb_free(&b);
  }
  /* Mostly in place: a change of length breaks the messages around it. */
  if (seed % 4) {
    for (unsigned k = seed / 4 % 3 + 1; k; k--, seed = seed * 1103515245 + 7)
      data[seed / 64 % size] ^= (uint8_t)(1u << seed / 8 % 8);
    return size;
  }
  return LLVMFuzzerMutate(data, size, max);
}

/* Walks all of it: what import made must be whole. */
static size_t visit(const Graph *g)
{
  size_t sum = 0;
  for (const Node *n = g->first; n; n = n->next) {
    for (int i = 0; i < n->nin; i++) {
      const Value *v = n->in[i];
      const Tensor *t = v ? v->data : NULL;
      sum += v ? strlen(v->name) : 0;
      if (!t || !t->n) continue;
      if (t->dtype == DT_STR) sum += ((const Str *)t->data)[t->n - 1].n;
      else sum += (size_t)(tensor_f64(t, t->n - 1) > 0);
    }
    for (int i = 0; i < n->nattr; i++) {
      const Attr *a = &n->attr[i];
      if (a->g) sum += visit(a->g);
      for (int k = 0; k < a->n; k++)
        sum += a->ints ? (size_t)a->ints[k] : a->strs ? a->strs[k].n : 0;
    }
  }
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Model *m = import_memory(NULL, "fuzz.onnx", data, size);
  volatile size_t sum = visit(m->main);
  (void)sum;
  if ((diag_worst(m) == EXIT_OK) != (m->nerror == 0)) abort();
  for (const Diag *d = m->diags; d; d = d->next)
    if (strpbrk(d->text, "\n\r")) abort();
  model_free(m);
  return 0;
}
