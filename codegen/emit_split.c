/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of steps whose work is divided among threads: their parameters,
 * and the sizes of the workers' scratch. What is the same for all of them is
 * templates/file.c.m4: an o2c_share says how a step is called, o2c_run_share is
 * the task, o2c_share_out decides. */
#include "target.h"

#include <string.h>

/* Bytes of a further worker's scratch, a multiple of 64. */
const char *emit_room(Plan *p, const char *pre)
{
  StrBuf b;
  int64_t most = 0, v;
  bool fixed = true;
  for (int i = 0; i < p->nroom; i++) {
    if (!dim_is_int(p->room[i], &v))
      fixed = false;
    else if (v > most)
      most = v;
  }
  if (fixed)
    return arena_printf(p->a, "INT64_C(%lld)", (long long)most);
  sb_init(&b, p->a);
  emit_slot_bytes(p, &b, p->room, p->nroom, pre);
  const char *text = arena_printf(p->a, "(%.*s)", (int)b.n, b.s);
  sb_free(&b);
  return text;
}

void emit_split_types(Plan *p, StrBuf *plan)
{
  emit_set(plan, "SPLITS", p->splits ? "1" : "");
  emit_set(plan, "ROOM", p->nroom ? "1" : "");
  emit_set(plan, "ALONE", p->splits ? ", int alone" : "");
  emit_set(plan, "NOT_ALONE", p->splits ? ", 0" : "");
  emit_set(plan, "SIZES_TYPE", sizes_type(p));
}

/* Where a worker's scratch begins: for the first worker in the arena. */
static void put_scratch(const Step *s, int k, StrBuf *b)
{
  const StepPtr *ptr = &s->ptr[k];
  const char *type = dtype_info(ptr->dtype)->c;
  StrBuf at;
  sb_init(&at, s->plan->a);
  dim_print(&at, &s->plan->m->dims, split_room(s, k), "its->s->");
  sb_printf(b, "  %s *const %s =\n    (%s *)o2c_share_room(its, %d, %.*s, "
            "worker);\n", type, ptr->name, type, k, (int)at.n, at.s);
  sb_free(&at);
}

void emit_split_open(const Step *s, StrBuf *b)
{
  bool scratch = false;
  if (s->symbols)
    sb_printf(b, "  const %s *const s = its->s;\n  (void)s;\n",
              sizes_type(s->plan));
  for (int k = 0; k < s->nptr; k++) {
    const StepPtr *ptr = &s->ptr[k];
    const char *type = dtype_info(ptr->dtype)->c;
    const char *c = ptr->kind == SP_IN ? "const " : "";
    if (ptr->kind == SP_SCRATCH) {
      put_scratch(s, k, b);
      scratch = true;
      continue;
    }
    sb_printf(b, "  %s%s *%s = (%s%s *)its->at[%d];\n", c, type,
              ptr->name, c, type, k);
  }
  if (!scratch)
    sb_puts(b, "  (void)worker;\n");
}
