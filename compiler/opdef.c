/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of operators: the families of ops.def, then elementwise.def. */
#include "ir.h"
#include <string.h>

typedef struct { const OpDef *const *defs; const int *n; } Family;
#define OPS(family) {&ops_##family, &ops_##family##_count},
static const Family families[] = {
#include "ops.def"
  {NULL, NULL}
};
#undef OPS

int op_count(void)
{
  int n = ew_count();
  for (const Family *f = families; f->n; f++) n += *f->n;
  return n;
}

const OpDef *op_at(int i)
{
  if (i < 0) return NULL;
  for (const Family *f = families; f->n; f++) {
    if (i < *f->n) return *f->defs + i;
    i -= *f->n;
  }
  return i < ew_count() ? ew_at(i) : NULL;
}

static bool matches(const OpDef *op, const char *domain, const char *name)
{
  return !strcmp(op->name, name) &&
    !strcmp(op->domain ? op->domain : "", domain);
}

const OpDef *op_find(const char *domain, const char *name)
{
  if (!strcmp(domain, "ai.onnx")) domain = "";
  for (const Family *f = families; f->n; f++)
    for (int i = 0; i < *f->n; i++)
      if (matches(*f->defs + i, domain, name)) return *f->defs + i;
  for (int i = 0; i < ew_count(); i++)
    if (matches(ew_at(i), domain, name)) return ew_at(i);
  return NULL;
}

/* The newest row that is not newer than the opset. */
const OpRow *op_row(const OpDef *op, int version)
{
  for (int i = op->nrow; i-- > 0;)
    if (op->rows[i].since <= version) return &op->rows[i];
  return NULL;
}

static const char *text_of(const OpRow *r, RowText what)
{
  return what == ROW_SIG ? r->sig : what == ROW_TYPES ? r->types : r->attrs;
}

const char *op_row_text(const OpDef *op, const OpRow *row, RowText what)
{
  for (;; row--) {
    const char *s = text_of(row, what);
    if (s) return s;
    if (row == op->rows) return "";
  }
}
