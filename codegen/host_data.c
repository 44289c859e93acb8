/* SPDX-License-Identifier: Apache-2.0 */
/* Data for a model: test_data_set_<i>/{input,output}_<j>.pb beside it, folders
 * given by --data, or seeded values.
 *
 * A file's tensor belongs to the port that has its name; a tensor without such
 * a name belongs to port j. A missing input file leaves the input absent, or
 * empty where it is an optional value. A file status.txt holds the name of the
 * o2c_status that the run must return in place of outputs. */
#include "host.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Initializers may be listed as inputs too (IR version 3): they are no ports */
static Value **find_ports(Model *m, Value **v, int n, int *count)
{
  Value **out = NEW(&m->arena, Value *, n);
  *count = 0;
  for (int i = 0; i < n; i++)
    if (!v[i]->is_input || !v[i]->data) out[(*count)++] = v[i];
  return out;
}

void ports_find(Ports *p, Model *m)
{
  memset(p, 0, sizeof *p);
  p->m = m;
  if (!m->main) return;
  p->in = find_ports(m, m->main->in, m->main->nin, &p->nin);
  p->out = NEW(&m->arena, Value *, m->main->nout);
  p->nout = m->main->nout;
  for (int i = 0; i < p->nout; i++) p->out[i] = m->main->out[i];
}

static bool exists(const char *path)
{
  struct stat s;
  return !stat(path, &s);
}

/* A tensor of one name, or the port that the file's number says. */
static int port_of(Value **v, int n, const Tensor *t, int j)
{
  for (int i = 0; t->name && *t->name && i < n; i++)
    if (!strcmp(v[i]->name, t->name)) return i;
  return j < n ? j : -1;
}

/* Which message a file holds is told by the port of its number alone. */
static const Type *type_at(Value **v, int n, int j)
{
  return j < n && v[j]->kind != VK_TENSOR ? v[j]->declared : NULL;
}

/* numpy lacks bfloat16 and the small floats: many store their bits as unsigned
 * integers of that width, the older ONNX corpora among them. */
static const Tensor *bits_as(Model *m, const Tensor *x, const Value *v)
{
  const Type *type = v->declared;
  if (x->kind != VK_TENSOR || !type || type->kind != VK_TENSOR ||
      type->dtype == DT_F16)
    return x;
  const DtypeInfo *have = dtype_info(x->dtype), *want = dtype_info(type->dtype);
  if (have->cls != DC_UINT || want->cls != DC_FLOAT || have->bits != want->bits)
    return x;
  Tensor *t = NEW(&m->arena, Tensor, 1);
  *t = *x;
  t->dtype = type->dtype;
  return t;
}

static const Tensor **load_files(const Ports *p, const char *folder,
                                 const char *what, Value **v, int n)
{
  Model *m = p->m;
  const Tensor **t = NEW(&m->arena, const Tensor *, n + 1);
  /* Numbers may have gaps, where a case leaves an optional input out. */
  for (int j = 0; j < n + 8; j++) {
    const char *path =
        arena_printf(&m->arena, "%s/%s_%d.pb", folder, what, j);
    if (!exists(path)) continue;
    const Tensor *x = import_value_file(m, path, type_at(v, n, j));
    if (x && x->kind == VK_TENSOR)
      tensor_aligned(m, x); /* the file aligns nothing */
    int k = x ? port_of(v, n, x, j) : -1;
    if (x && k < 0)
      diag_model(m, SEV_ERROR, EXIT_MODEL, "%s: the model has no %s %d", path,
                 what, j);
    if (k >= 0) t[k] = bits_as(m, x, v[k]);
  }
  return t;
}

/* An optional value without a file is one that holds nothing. */
static void fill_optionals(Model *m, Value **v, const Tensor **t, int n)
{
  for (int i = 0; i < n; i++) {
    if (t[i] || v[i]->kind != VK_OPTIONAL) continue;
    Tensor *none = NEW(&m->arena, Tensor, 1);
    none->kind = VK_OPTIONAL;
    t[i] = none;
  }
}

/* What status.txt says; O2C_OK without one. */
static int64_t load_status(Model *m, const char *folder)
{
  const char *path = arena_printf(&m->arena, "%s/status.txt", folder);
  size_t n = 0;
  if (!exists(path)) return 0;
  char *text = host_read(&m->arena, path, &n);
  while (n && (text[n - 1] == '\n' || text[n - 1] == '\r')) n--;
  int64_t status = n ? status_find(arena_strn(&m->arena, text, n)) : 1;
  if (status > 0)
    diag_model(m, SEV_ERROR, EXIT_MODEL, "%s: no name of an o2c_status", path);
  return status;
}

static const char *last_part(Arena *a, const char *path)
{
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  const char *s = arena_strn(a, path, n);
  const char *slash = strrchr(s, '/');
  return slash && slash[1] ? slash + 1 : s;
}

static int by_number(const void *a, const void *b)
{
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;
  size_t n = strlen(x), m = strlen(y);
  if (n != m) return n < m ? -1 : 1;
  return strcmp(x, y);
}

/* The folders test_data_set_* beside the model, in order of their number. */
static const char **beside(Model *m, int *n)
{
  const char *slash = strrchr(m->path, '/');
  const char *dir = slash
      ? arena_strn(&m->arena, m->path, (size_t)(slash - m->path) + 1) : "./";
  const char **list = NULL;
  *n = 0;
  DIR *d = opendir(dir);
  for (struct dirent *e; d && (e = readdir(d));) {
    if (strncmp(e->d_name, "test_data_set_", 14)) continue;
    list = arena_grow(&m->arena, list, *n, sizeof *list);
    list[(*n)++] = arena_printf(&m->arena, "%s%s", dir, e->d_name);
  }
  if (d) closedir(d);
  if (*n) qsort(list, (size_t)*n, sizeof *list, by_number);
  return list;
}

DataSet *data_load(const Ports *p, const Options *opt, int *n)
{
  Model *m = p->m;
  const char **folder = opt->data;
  *n = opt->ndata;
  if (!*n) folder = beside(m, n);
  DataSet *s = NEW(&m->arena, DataSet, *n + 1);
  for (int i = 0; i < *n; i++) {
    s[i].path = folder[i];
    s[i].name = last_part(&m->arena, folder[i]);
    if (!exists(folder[i]))
      diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "%s: no such folder",
                 folder[i]);
    s[i].in = load_files(p, folder[i], "input", p->in, p->nin);
    fill_optionals(m, p->in, s[i].in, p->nin);
    s[i].want = load_files(p, folder[i], "output", p->out, p->nout);
    s[i].status = load_status(m, folder[i]);
  }
  return s;
}

/* --- Seeded data ---------------------------------------------------------- */

/* xorshift64*: the same numbers on every machine. */
static uint64_t next(uint64_t *s)
{
  *s ^= *s >> 12;
  *s ^= *s << 25;
  *s ^= *s >> 27;
  return *s * 2685821657736338717u;
}

/* About normal, by the sum of uniforms: no libm, so the same bits anywhere. */
static double normal(uint64_t *s)
{
  double sum = 0;
  for (int i = 0; i < 12; i++) sum += (double)(next(s) >> 40) / 16777216.0;
  return sum - 6;
}

/* Integers of 32 and 64 bits are mostly indices: 0 and 1 are in range. */
static void fill(Tensor *t, uint64_t *s)
{
  const DtypeInfo *d = dtype_info(t->dtype);
  for (int64_t i = 0; i < t->n; i++) {
    if (d->cls == DC_FLOAT)
      tensor_set_f64(t, i, normal(s));
    else if (d->cls == DC_COMPLEX || d->cls == DC_STR)
      continue;
    else if (d->bits == 8 && d->cls != DC_BOOL)
      tensor_set_i64(t, i, (int64_t)(next(s) >> 56) -
                               (d->cls == DC_INT ? 128 : 0));
    else
      tensor_set_i64(t, i, (int64_t)(next(s) >> 63));
  }
}

static int64_t size_of(const DimPool *p, const Dim *d, const Size *size, int n)
{
  int64_t *sym = calloc((size_t)p->nsym + 1, sizeof *sym);
  int64_t v = 0;
  if (!sym) return 0;
  for (int i = 0; i < p->nsym; i++) {
    sym[i] = 1;
    for (int k = 0; k < n; k++)
      if (!strcmp(p->sym[i].name, size[k].name) ||
          !strcmp(p->sym[i].c_name, size[k].name))
        sym[i] = size[k].v;
  }
  v = dim_eval(p, d, sym);
  free(sym);
  return v;
}

static const Tensor *seeded_tensor(Model *m, Dtype type, int rank,
                                   const int64_t *dim, uint64_t *state)
{
  Tensor *t = tensor_new(&m->arena, type, rank, dim);
  if (type == DT_STR)
    for (int64_t j = 0; j < t->n; j++)
      ((Str *)(uintptr_t)t->data)[j] = (Str){"", 0};
  else
    fill(t, state);
  return t;
}

/* Every second word of the DictVectorizer that reads v; else 0, 1 and 2, or no
 * string. */
static const Tensor *seeded_keys(const Value *v)
{
  bool text = v->declared->dtype == DT_STR;
  const Attr *a = NULL;
  for (const Node *n = v->g->first; n && !a; n = n->next)
    if (node_in(n, 0) == v && !strcmp(n->op_type, "DictVectorizer"))
      a = attr_get(n, text ? "string_vocabulary" : "int64_vocabulary");
  int64_t count = a ? (a->n + 1) / 2 : text ? 0 : 3;
  Tensor *t = tensor_new(&v->g->m->arena, v->declared->dtype, 1, &count);
  for (int64_t i = 0; i < count; i++)
    if (text) ((Str *)(uintptr_t)t->data)[i] = a->strs[2 * i];
    else tensor_set_i64(t, i, a ? a->ints[2 * i] : i);
  return t;
}

static const Tensor *seeded_map(const Value *v, uint64_t *state)
{
  Arena *a = &v->g->m->arena;
  Tensor *t = NEW(a, Tensor, 1);
  bool twice;
  t->kind = VK_MAP;
  t->n = 2;
  t->item = NEW(a, const Tensor *, 2);
  t->item[0] = seeded_keys(v);
  t->item[1] = seeded_tensor(v->g->m, v->declared->elem->dtype, 1,
                             t->item[0]->dim, state);
  return map_sorted(a, t, &twice);
}

DataSet *data_seeded(const Ports *p, const Size *size, int nsize,
                     uint64_t seed)
{
  Model *m = p->m;
  DataSet *s = NEW(&m->arena, DataSet, 1);
  uint64_t state = seed * 2654435769u + 88172645463325252u;
  s->name = s->path = "seeded";
  s->in = NEW(&m->arena, const Tensor *, p->nin + 1);
  s->want = NEW(&m->arena, const Tensor *, p->nout + 1);
  for (int i = 0; i < p->nin; i++) {
    const Value *v = p->in[i];
    int64_t dim[MAX_RANK];
    if (v->kind == VK_MAP && v->declared && type_crosses(v->declared)) {
      s->in[i] = seeded_map(v, &state);
      continue;
    }
    if (v->kind != VK_TENSOR || v->rank < 0) {
      diag_model(m, SEV_ERROR, EXIT_UNSUPPORTED,
                 "input %s %s: put test data beside the model",
                 quote(&m->arena, v->name),
                 v->kind != VK_TENSOR ? "is no tensor or map"
                                      : "has no known shape");
      return s;
    }
    for (int k = 0; k < v->rank; k++)
      dim[k] = size_of(&m->dims, v->dim[k], size, nsize);
    s->in[i] = seeded_tensor(m, v->dtype, v->rank, dim, &state);
  }
  return s;
}
