/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors from files (.pb, .npy) or text; set-initializer, add-initializer. */
#include "attrs.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- .npy ----------------------------------------------------------------- */

typedef struct { const char *descr; Dtype t; } NpyType;
static const NpyType npy_types[] = {
  {"f4", DT_F32}, {"f8", DT_F64}, {"f2", DT_F16}, {"i1", DT_I8},
  {"i2", DT_I16}, {"i4", DT_I32}, {"i8", DT_I64}, {"u1", DT_U8},
  {"u2", DT_U16}, {"u4", DT_U32}, {"u8", DT_U64}, {"b1", DT_BOOL},
  {"c8", DT_C64}, {"c16", DT_C128},
};

typedef struct {
  Dtype t;
  bool fortran;
  int rank;
  int64_t dim[MAX_RANK], n;
} Npy;

/* What follows 'key': in the header, a Python dictionary as text. */
static const char *npy_field(const char *head, const char *key)
{
  const char *s = strstr(head, key);
  s = s ? strchr(s, ':') : NULL;
  if (!s) return NULL;
  s++;
  return s + strspn(s, " ");
}

static bool npy_type(Edit *e, const char *path, const char *descr, Npy *x)
{
  if (descr && (*descr == '\'' || *descr == '"')) descr++;
  if (!descr) descr = "?";
  if (*descr == '>')
    return edit_fail(e, EXIT_UNSUPPORTED, "%s is big-endian: save it by "
                     "x.astype('<f4')", Q(e, path));
  const char *s = descr + (strchr("<|=", *descr) != NULL);
  for (int i = 0; i < COUNT(npy_types); i++) {
    size_t n = strlen(npy_types[i].descr);
    if (strncmp(s, npy_types[i].descr, n) != 0 || isdigit((unsigned char)s[n]))
      continue;
    x->t = npy_types[i].t;
    return true;
  }
  return edit_fail(e, EXIT_UNSUPPORTED, "%s has elements %.8s, which are no "
                   "tensor's; give a TensorProto (.pb)", Q(e, path), descr);
}

static bool npy_shape(const char *s, Npy *x)
{
  x->n = 1;
  if (!s || *s++ != '(') return false;
  for (;;) {
    s += strspn(s, " ,");
    if (*s == ')') return true;
    char *end;
    long long d = strtoll(s, &end, 10);
    if (end == s || d < 0 || x->rank == MAX_RANK ||
        (d && x->n > (INT64_MAX / 16) / d))
      return false;
    x->dim[x->rank++] = d;
    x->n *= d;
    s = end;
  }
}

/* Column-major elements put in order. */
static const void *npy_reorder(Edit *e, const Npy *x, const char *p)
{
  size_t size = (size_t)dtype_info(x->t)->size;
  char *out = arena_alloc(e->a, (size_t)x->n * size);
  int64_t at[MAX_RANK] = {0};
  for (int64_t i = 0; i < x->n; i++) {
    int64_t from = 0, stride = 1;
    for (int k = 0; k < x->rank; k++) {
      from += at[k] * stride;
      stride *= x->dim[k];
    }
    memcpy(out + (size_t)i * size, p + (size_t)from * size, size);
    for (int k = x->rank; k-- > 0 && ++at[k] == x->dim[k];) at[k] = 0;
  }
  return out;
}

static TensorProto *npy_read(Edit *e, const char *name, const char *path,
                             const FileMap *f)
{
  const uint8_t *p = f->p;
  Npy x = {.t = DT_NONE};
  size_t head = 0, from = 10;
  if (f->n >= 12 && !memcmp(p, "\x93NUMPY", 6)) {
    head = (size_t)p[8] | (size_t)p[9] << 8;
    if (p[6] > 1) {
      head |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
      from = 12;
    }
  }
  if (!head || head > f->n - from) {
    edit_fail(e, EXIT_USAGE, "%s is no .npy file", Q(e, path));
    return NULL;
  }
  const char *text = arena_strn(e->a, (const char *)p + from, head);
  const char *order = npy_field(text, "fortran_order");
  x.fortran = order && !strncmp(order, "True", 4);
  if (!npy_type(e, path, npy_field(text, "descr"), &x)) return NULL;
  size_t size = (size_t)dtype_info(x.t)->size;
  if (!npy_shape(npy_field(text, "'shape'"), &x) ||
      (uint64_t)x.n * size > f->n - from - head) {
    edit_fail(e, EXIT_USAGE, "%s is damaged, or cut short", Q(e, path));
    return NULL;
  }
  const char *data = (const char *)p + from + head;
  if (x.fortran && x.rank > 1) data = npy_reorder(e, &x, data);
  TensorProto *t = tensor_make(e, name, x.t, x.rank, x.dim, "", 0);
  msg_set_place(e, t, FIELD_T_RAW, (Str){data, (size_t)x.n * size});
  return t;
}

/* --- .pb ------------------------------------------------------------------ */

static TensorProto *pb_file(Edit *e, const char *name, const FileMap *f)
{
  const uint8_t *p = e->pb->p;
  size_t n = e->pb->n;
  e->pb->p = f->p;
  e->pb->n = f->n;
  TensorProto *t =
    (void *)(uintptr_t)pb_read(e->pb, &onnx__tensor_proto__descriptor);
  e->pb->p = p;
  e->pb->n = n;
  if (t && name) t->name = edit_str(e, name);
  return t && tensor_read(e, t) ? t : NULL;
}

/* --- Text ----------------------------------------------------------------- */

static bool put_value(Edit *e, Tensor *t, int64_t i, const char *s)
{
  double f;
  int64_t v;
  DtypeClass c = dtype_info(t->dtype)->cls;
  bool ok = c == DC_FLOAT ? edit_float(s, &f) : edit_int(s, &v);
  if (c == DC_BOOL && (!strcmp(s, "true") || !strcmp(s, "false"))) {
    v = *s == 't';
    ok = true;
  }
  if (!ok || c == DC_COMPLEX)
    return edit_fail(e, EXIT_USAGE, "%s is no element of %s", Q(e, s),
                     dtype_info(t->dtype)->onnx);
  if (c == DC_FLOAT) tensor_set_f64(t, i, f);
  else tensor_set_i64(t, i, v);
  return true;
}

/* "int64[2]:3,4"; one value stands for all. */
static TensorProto *text_tensor(Edit *e, const char *name, const char *text)
{
  const char *colon = strchr(text, ':');
  size_t n = strcspn(text, "[:");
  Dtype dt = dtype_parse(text, n);
  int rank = 0, count;
  int64_t dim[MAX_RANK];
  if (dt == DT_NONE || !colon) {
    edit_fail(e, EXIT_USAGE, "%s is no file that can be read, and no "
              "TYPE[DIMS]:VALUES", Q(e, text));
    return NULL;
  }
  if (text[n] == '[') {
    const char **d = edit_split(e, arena_strn(e->a, text + n + 1,
      strcspn(text + n + 1, "]")), ',', &rank);
    for (int k = 0; k < rank; k++)
      if (k >= MAX_RANK || !edit_int(d[k], &dim[k]) || dim[k] < 0) {
        edit_fail(e, EXIT_USAGE, "%s: %s is no size", Q(e, text), Q(e, d[k]));
        return NULL;
      }
  }
  const char **v = edit_split(e, colon + 1, ',', &count);
  Tensor *t = tensor_new(e->a, dt, rank, dim);
  if (count != t->n && count != 1) {
    edit_fail(e, EXIT_USAGE, "%s: %lld values are wanted, not %d", Q(e, text),
              (long long)t->n, count);
    return NULL;
  }
  for (int64_t i = 0; i < t->n; i++) {
    const char *s = v[count == 1 ? 0 : i];
    if (dt == DT_STR) ((Str *)(uintptr_t)t->data)[i] = (Str){s, strlen(s)};
    else if (!put_value(e, t, i, s)) return NULL;
  }
  return tensor_write(e, name, t);
}

TensorProto *edit_tensor_text(Edit *e, const char *name, const char *text)
{
  size_t n = strcspn(text, "[:");
  const char *why = NULL;
  if (text[n] && dtype_parse(text, n) != DT_NONE)
    return text_tensor(e, name, text);
  const FileMap *f = file_map(e->im, text, &why);
  if (!f) {
    edit_fail(e, EXIT_USAGE, "%s can't be read: %s", Q(e, text), why);
    return NULL;
  }
  const char *dot = strrchr(text, '.');
  if (dot && !strcmp(dot, ".npy")) return npy_read(e, name, text, f);
  return pb_file(e, name, f);
}

/* --- Steps ---------------------------------------------------------------- */

static const char *split_name(Edit *e, const char *text, const char **value)
{
  const char *eq = strchr(text, '=');
  if (!eq || eq == text || !eq[1]) {
    edit_fail(e, EXIT_USAGE, "%s is not NAME=FILE or NAME=TYPE[DIMS]:VALUES",
              Q(e, text));
    return NULL;
  }
  *value = eq + 1;
  return arena_strn(e->a, text, (size_t)(eq - text));
}

static void note_change(Edit *e, const TensorProto *was, const TensorProto *is)
{
  size_t n, k;
  const int64_t *a = msg_ints(e, was, FIELD_T_DIMS, &n);
  const int64_t *b = msg_ints(e, is, FIELD_T_DIMS, &k);
  if (was->data_type != is->data_type)
    edit_warn(e, "%s was of type %s, and is %s now", Q(e, is->name),
              dtype_info((Dtype)was->data_type)->onnx,
              dtype_info((Dtype)is->data_type)->onnx);
  if (n != k || (n && memcmp(a, b, n * sizeof *a) != 0))
    edit_warn(e, "the shape of %s changes", Q(e, is->name));
}

bool step_set_initializer(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *value, *name = split_name(e, s->arg[i], &value);
    Body *b;
    Named *t;
    if (!name || !edit_find_tensor(e, name, &b, &t)) return false;
    if (!t->init || t->sparse)
      return edit_fail(e, EXIT_USAGE, "%s is no initializer: %s", Q(e, name),
                       t->is_input ? "add-initializer gives an input a value"
                       : "of a Constant it is set-attr NODE.value=@FILE");
    TensorProto *is = edit_tensor_text(e, name, value);
    if (!is) return false;
    note_change(e, t->init, is);
    for (size_t k = 0; k < b->g->n_initializer; k++)
      if (b->g->initializer[k] == t->init) b->g->initializer[k] = is;
  }
  return true;
}

/* An input that gets a value is one no longer. */
bool step_add_initializer(Edit *e, const EditStep *s)
{
  for (int i = 0; i < s->n; i++) {
    const char *value, *name = split_name(e, s->arg[i], &value);
    if (!name) return false;
    Body *b = edit_main(e);
    const Named *t = index_get(body_index(e, b), name);
    if (t && (t->maker || t->init))
      return edit_fail(e, EXIT_USAGE, "%s is made already: set-initializer "
                       "changes one", Q(e, name));
    TensorProto *is = edit_tensor_text(e, name, value);
    if (!is) return false;
    body_add_initializer(e, b, is);
    for (size_t k = b->g->n_input; k-- > 0;)
      if (b->g->input[k]->name && !strcmp(b->g->input[k]->name, name))
        LIST_DROP(b->g, input, k);
  }
  return true;
}
