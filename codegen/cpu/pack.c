/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence or optional value that the graph gives: its items' descriptions,
 * level by level, then their elements, in the storage of the output. See
 * sequence.c and kernels/value.h. */
#include "cpu.h"

static void put_item(Step *s, StrBuf *b, int at, int input)
{
  Value *x = s->node->in[input];
  const char *name = arena_printf(s->plan->a, "x%d", input);
  const char *bytes = step_dim_text(s, value_numel(x));
  step_in(s, name, x);
  sb_puts(b, "  {\n    const int64_t dim[] = { ");
  for (int i = 0; i < x->rank; i++)
    sb_printf(b, "%s%s", i ? ", " : "", step_dim_text(s, x->dim[i]));
  sb_printf(b, "%s };\n    to = o2c_value_tensor(item + %d, %d, %d, dim, %s,\n"
            "                          (int64_t)(%s) * %d, to);\n  }\n",
            x->rank ? "" : "0", at, (int)x->dtype, x->rank, name, bytes,
            dtype_info(x->dtype)->size);
}

static void put_size(Step *s, StrBuf *b, int items)
{
  sb_printf(b, "  const int64_t head = O2C_ALIGN_UP(%d * (int64_t)sizeof *y, "
            "16);\n  const int64_t found = head", items);
  for (int i = 0; i < s->node->nin; i++) {
    const Value *x = s->node->in[i];
    sb_printf(b, " +\n      O2C_ALIGN_UP((int64_t)(%s) * %d, 16)",
              step_dim_text(s, value_numel(x)), dtype_info(x->dtype)->size);
  }
  sb_puts(b, ";\n  o2c_status status;\n  o2c_value *item;\n"
          "  unsigned char *to;\n");
  step_take_size(s, b, s->node->size[0], "found");
  sb_puts(b, "  item = (o2c_value *)y->data;\n"
          "  to = (unsigned char *)y->data + head;\n");
}

/* From elements and rows. */
static bool lower_repack(Plan *p, Node *n)
{
  Step *s = step_new(p, n, "REF");
  const Value *x = n->in[0];
  StrBuf b;
  sb_init(&b, p->a);
  step_kernel(s, "value.h");
  s->kernel_note = "value";
  step_in(s, "flat", n->in[0]);
  step_in(s, "rows", n->in[1]);
  const char *items = step_dim_text(s, n->in[1]->dim[0]);
  const char *what = "O2C_ROWS_SEQUENCE";
  int size = dtype_info(x->dtype)->size;
  if (node_in(n, 2)) {
    step_in(s, "has", n->in[2]);
    items = arena_printf(p->a, "*has ? %s : 0", items);
    what = arena_printf(p->a, "*has ? O2C_ROWS_SOME_%s : O2C_ROWS_NONE",
                        attr_int(n, "tensor", 0) ? "TENSOR" : "SEQUENCE");
  }
  sb_printf(&b, "  const int64_t items = %s;\n  const int what = %s;\n"
            "  const int64_t found = o2c_rows_bytes(rows, items, %d, what);\n"
            "  o2c_status status;\n", items, what, size);
  step_take_size(s, &b, n->size[0], "found");
  sb_printf(&b, "  o2c_rows_value(y, flat, rows, items, %d, %d, what);\n",
            (int)x->dtype, size);
  step_out(s, "y", n->out[0]);
  step_text(s, "BODY", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  return true;
}

static bool lower_sparsify(Plan *p, Node *n)
{
  const Value *x = n->in[0];
  if (x->dtype == DT_STR) {
    fail_unsupported(n, "strings as a sparse output; let it be dense");
    return true;
  }
  Step *s = step_new(p, n, "REF");
  const char *numel = step_dim_text(s, value_numel(x));
  int size = dtype_info(x->dtype)->size;
  StrBuf b;
  sb_init(&b, p->a);
  step_kernel(s, "value.h");
  s->kernel_note = "value";
  step_in(s, "x", n->in[0]);
  sb_puts(&b, "  const int64_t dim[] = { ");
  for (int i = 0; i < x->rank; i++)
    sb_printf(&b, "%s%s", i ? ", " : "", step_dim_text(s, x->dim[i]));
  sb_printf(&b, "%s };\n  int64_t count;\n  const int64_t found = "
            "o2c_sparse_bytes(x, %s, %d, %d, &count);\n  o2c_status status;\n",
            x->rank ? "" : "0", numel, size, x->rank);
  step_take_size(s, &b, n->size[0], "found");
  sb_printf(&b, "  o2c_sparse_value(y, x, %s, %d, %d, %d, dim, count);\n",
            numel, size, (int)x->dtype, x->rank);
  step_out(s, "y", n->out[0]);
  step_text(s, "BODY", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  return true;
}

bool lower_pack(Plan *p, Node *n)
{
  if (node_is_internal(n, "Sparsify"))
    return lower_sparsify(p, n);
  if (node_is_internal(n, "Repack"))
    return lower_repack(p, n);
  if (!node_is_internal(n, "Pack"))
    return false;
  int count, input = 0, behind = 0;
  const int64_t *tree = attr_ints(n, "tree", &count);
  Step *s = step_new(p, n, "REF");
  StrBuf b;
  sb_init(&b, p->a);
  step_kernel(s, "value.h");
  s->kernel_note = "value";
  put_size(s, &b, count / 2 - 1);
  for (int i = 0; i < count / 2; i++) {
    const char *at = i ? arena_printf(p->a, "item + %d", i - 1) : "y";
    if (tree[2 * i] == VK_TENSOR) {
      put_item(s, &b, i - 1, input++);
      continue;
    }
    sb_printf(&b, "  o2c_value_set(%s, %s, item + %d, %d);\n", at,
              tree[2 * i] == VK_SEQ ? "O2C_SEQUENCE" : "O2C_OPTIONAL", behind,
              (int)tree[2 * i + 1]);
    behind += (int)tree[2 * i + 1];
  }
  sb_puts(&b, "  (void)item, (void)to;\n");
  step_out(s, "y", n->out[0]);
  step_text(s, "BODY", "%.*s", (int)b.n, b.s);
  sb_free(&b);
  return true;
}
