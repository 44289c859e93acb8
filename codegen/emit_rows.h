/* SPDX-License-Identifier: Apache-2.0 */
/* What emit_c.c, emit_rows.c and emit_cu.c share. */
#ifndef O2C_EMIT_ROWS_H
#define O2C_EMIT_ROWS_H
#include "target.h"

/* Calls of steps, and the local pointers that they need. */
typedef struct {
  Plan *p;
  const EmitFiles *f;
  StrBuf b;
  bool *declared;     /* by Value.id: its pointer is a local variable */
  bool device;        /* text of the .cu file */
} Rows;

/* emit_c.c */
void emit_param(StrBuf *b, const StepPtr *ptr); /* "const float *x" */
void emit_banner(const Step *s, StrBuf *b);
/* emit_rows.c */
/* Appends `text` to a line that started at `*line`, wrapped at column 78. */
void emit_wrapped(StrBuf *b, size_t *line, const char *text, int indent);
/* The pointer that a step gets; declares tensors on first use. */
const char *rows_pointer(Rows *r, const StepPtr *ptr);
/* Where the slots of the workspace or of the device begin, as o0, o1, .. */
void rows_slots(Rows *r, bool device, const char *pre);
void rows_body(Plan *p, StrBuf *plan, const EmitFiles *f);
/* emit_cu.c: a region's number is that of p->nregion when it is met. */
/* The call of the region that begins with `s`; *last: its last step. */
void region_call(Rows *r, Step *s, Step **last);
#endif
