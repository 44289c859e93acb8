/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors: dims and type, and the elements from raw_data, from the field of
 * the type, from another file, or from a sparse form.
 *
 * Elements in memory are unpacked and little-endian, one byte for types of 2
 * and 4 bits. Large ones (over KEEP) stay where they are in the mapped file,
 * whatever the address: the format aligns nothing, and copying three tensors
 * of four would double the memory. Smaller ones are copied if misaligned, so
 * that code which looks at small constants may cast `data`. */
#include "import.h"
#include <string.h>

#if defined __BYTE_ORDER__ && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "onnx2c reads weights in place: it runs on little-endian machines"
#endif

#define KEEP ((size_t)1 << 16)
#define MAX_ELEMENTS (INT64_MAX / 128) /* their bits fit in 64 bits */
#define MAX_DENSE ((int64_t)1 << 31)   /* bytes a sparse tensor may become */

enum { F_DIMS = 1, F_FLOAT = 4, F_INT32 = 5, F_STRING = 6, F_INT64 = 7,
       F_RAW = 9, F_DOUBLE = 10, F_UINT64 = 11 }; /* of TensorProto */

Dtype import_dtype(const Place *at, int32_t type)
{
  if (type >= 0 && type < DT_COUNT) return (Dtype)type;
  place_fail(at, EXIT_MODEL, "has element type %d, which ONNX does not know "
             "of; the file is damaged or newer than this program", type);
  return DT_NONE;
}

static size_t align_of(Dtype t)
{
  size_t size = (size_t)dtype_info(t)->size;
  if (t == DT_STR) return sizeof(void *);
  return dtype_info(t)->cls == DC_COMPLEX ? size / 2 : size;
}

static bool aligned(const void *p, Dtype t)
{
  return (uintptr_t)p % align_of(t) == 0;
}

static size_t bytes_of(const Tensor *t)
{
  return (size_t)t->n * (size_t)dtype_info(t->dtype)->size;
}

const void *tensor_aligned(Model *m, const Tensor *t)
{
  if (t->dtype == DT_STR || !t->data || aligned(t->data, t->dtype))
    return t->data;
  void *p = arena_alloc(&m->arena, bytes_of(t));
  memcpy(p, t->data, bytes_of(t));
  Tensor *mine = (Tensor *)(uintptr_t)t; /* a cache: content is the same */
  return mine->data = p;
}

static const char *shape_text(Arena *a, const Tensor *t)
{
  const char *s = "[";
  for (int k = 0; k < t->rank; k++)
    s = arena_printf(a, "%s%s%lld", s, k ? "," : "", (long long)t->dim[k]);
  return arena_printf(a, "%s] of %s", s, dtype_info(t->dtype)->onnx);
}

static bool read_dims(const Place *at, const Pb *pb, const void *msg,
                      uint32_t field, Tensor *t)
{
  PbIter it = pb_iter(pb, msg, field);
  PbItem x;
  uint64_t rank = pb_count(pb, msg, field);
  if (rank > MAX_RANK) {
    place_fail(at, EXIT_UNSUPPORTED, "has %llu dimensions; %d is the most",
               (unsigned long long)rank, MAX_RANK);
    return false;
  }
  bool empty = false, huge = false;
  t->n = 1;
  while (pb_next(&it, &x)) {
    int64_t d = (int64_t)x.u;
    if (d < 0) {
      place_fail(at, EXIT_MODEL, "has dimension %d of %lld; the file is "
                 "damaged", t->rank, (long long)d);
      return false;
    }
    t->dim[t->rank++] = d;
    empty |= !d;
    if (d && t->n > MAX_ELEMENTS / d) huge = true;
    else if (d) t->n *= d;
  }
  if (empty) t->n = 0;
  if (!huge || empty) return true;
  place_fail(at, EXIT_MODEL, "has more elements than 64 bits count; the file "
             "is damaged");
  return false;
}

/* --- Elements ------------------------------------------------------------- */

/* Types below 8 bits: the low bits are the first element. Six bits may lie in
 * two bytes. */
static void unpack_bits(const Tensor *t, const uint8_t *p, uint8_t *out)
{
  int bits = dtype_info(t->dtype)->bits;
  unsigned mask = (1u << bits) - 1, sign = 1u << (bits - 1);
  bool is_signed = dtype_info(t->dtype)->cls == DC_INT;
  for (int64_t i = 0; i < t->n; i++) {
    int64_t at = i * bits;
    unsigned v = (unsigned)p[at / 8] >> at % 8;
    if (at % 8 + bits > 8) v |= (unsigned)p[at / 8 + 1] << (8 - at % 8);
    v &= mask;
    if (is_signed && (v & sign)) v |= ~mask;
    out[i] = (uint8_t)v;
  }
}

/* A byte other than 0 and 1 would not be a bool of C. */
static const void *clean_bools(Arena *a, const uint8_t *p, size_t n)
{
  size_t i = 0;
  while (i < n && p[i] < 2) i++;
  if (i == n) return p;
  uint8_t *out = arena_alloc(a, n);
  for (i = 0; i < n; i++) out[i] = p[i] != 0;
  return out;
}

static bool from_raw(const Place *at, Tensor *t, Str raw)
{
  const DtypeInfo *info = dtype_info(t->dtype);
  Arena *a = &at->im->m->arena;
  if (t->dtype == DT_STR) {
    place_fail(at, EXIT_MODEL, "has strings as raw data; ONNX wants them in "
               "string_data");
    return false;
  }
  uint64_t need = ((uint64_t)t->n * (uint64_t)info->bits + 7) / 8;
  if (raw.n != need) {
    place_fail(at, EXIT_MODEL, "%s needs %llu bytes, but has %zu; the file is "
               "damaged", shape_text(&at->im->tmp, t),
               (unsigned long long)need, raw.n);
    return false;
  }
  t->data = raw.p;
  if (info->bits < 8) {
    uint8_t *out = arena_alloc(a, (size_t)t->n);
    unpack_bits(t, (const uint8_t *)raw.p, out);
    t->data = out;
  } else if (t->dtype == DT_BOOL) {
    t->data = clean_bools(a, (const uint8_t *)raw.p, raw.n);
  } else if (raw.n <= KEEP) {
    tensor_aligned(at->im->m, t);
  }
  return true;
}

static uint32_t field_of(Dtype t)
{
  switch (t) {
  case DT_F32: case DT_C64: return F_FLOAT;
  case DT_F64: case DT_C128: return F_DOUBLE;
  case DT_I64: return F_INT64;
  case DT_U32: case DT_U64: return F_UINT64;
  case DT_STR: return F_STRING;
  default: return F_INT32;
  }
}

static bool check_count(const Place *at, const Tensor *t, uint64_t need,
                        uint64_t have)
{
  if (need == have) return true;
  if (have)
    place_fail(at, EXIT_MODEL, "%s needs %llu numbers, but has %llu; the file "
               "is damaged", shape_text(&at->im->tmp, t),
               (unsigned long long)need, (unsigned long long)have);
  else
    place_fail(at, EXIT_MODEL, "%s has no data; the file is damaged, or its "
               "weights were stripped", shape_text(&at->im->tmp, t));
  return false;
}

static bool from_strings(const Place *at, const Pb *pb,
                         const Onnx__TensorProto *tp, Tensor *t)
{
  uint64_t n = pb_count(pb, tp, F_STRING);
  if (!check_count(at, t, (uint64_t)t->n, n)) return false;
  Str *s = NEW(&at->im->m->arena, Str, n);
  PbIter it = pb_iter(pb, tp, F_STRING);
  PbItem x;
  t->data = s;
  while (pb_next(&it, &x)) *s++ = x.s;
  return true;
}

/* Numbers in the field of their type. int32_data holds the bits of narrower
 * types; of those of 2 and 4 bits it holds a packed byte in each number. */
static bool from_field(const Place *at, const Pb *pb,
                       const Onnx__TensorProto *tp, Tensor *t)
{
  const DtypeInfo *info = dtype_info(t->dtype);
  uint32_t field = field_of(t->dtype);
  Str packed;
  if (field == F_STRING) return from_strings(at, pb, tp, t);
  if ((field == F_FLOAT || field == F_DOUBLE) &&
      pb_packed(pb, tp, field, &packed))
    return from_raw(at, t, packed);
  uint64_t n = pb_count(pb, tp, field), need = (uint64_t)t->n;
  size_t size = (size_t)info->size;
  bool packed_bytes = info->bits == 2 || info->bits == 4;
  if (packed_bytes) need = (need * (uint64_t)info->bits + 7) / 8;
  if (info->cls == DC_COMPLEX) {
    need *= 2;
    size /= 2;
  }
  if (!check_count(at, t, need, n)) return false;
  uint8_t *out = arena_array(&at->im->m->arena, size, n ? n : 1);
  t->data = out;
  PbIter it = pb_iter(pb, tp, field);
  PbItem x;
  for (uint8_t *p = out; pb_next(&it, &x); p += size) {
    if (t->dtype == DT_BOOL) x.u = x.u != 0;
    if (info->bits == 6) x.u &= 63;
    memcpy(p, &x.u, size);
  }
  if (packed_bytes) return from_raw(at, t, (Str){(char *)out, n});
  return true;
}

static bool read_elements(const Place *at, const Pb *pb,
                          const Onnx__TensorProto *tp, Tensor *t)
{
  Str raw = {NULL, 0};
  if (tp->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    return import_external(at, tp, &raw) && from_raw(at, t, raw);
  if (pb_last(pb, tp, F_RAW, &raw) && (raw.n || !t->n))
    return from_raw(at, t, raw);
  return from_field(at, pb, tp, t);
}

const Tensor *import_tensor(const Place *at, const Pb *pb,
                            const Onnx__TensorProto *tp)
{
  Arena *a = &at->im->m->arena;
  Tensor *t = NEW(a, Tensor, 1);
  t->name = arena_str(a, tp->name ? tp->name : "");
  int errors = at->im->m->nerror;
  t->dtype = import_dtype(at, tp->data_type);
  if (!t->dtype && errors == at->im->m->nerror)
    place_fail(at, EXIT_MODEL, "has no element type; the file is damaged");
  if (tp->segment)
    place_fail(at, EXIT_UNSUPPORTED, "comes in segments (or is no tensor), "
               "which is not supported; write it in one piece");
  if (at->im->m->nerror != errors || !read_dims(at, pb, tp, F_DIMS, t) ||
      !read_elements(at, pb, tp, t))
    return NULL;
  return t;
}

/* --- Sparse tensors ------------------------------------------------------- */

/* Position in the dense tensor of the k-th value; -1: out of range. */
static int64_t sparse_position(const Tensor *dense, const Tensor *indices,
                               int64_t k)
{
  if (indices->rank == 1) {
    int64_t i = tensor_i64(indices, k);
    return i < dense->n ? i : -1;
  }
  int64_t pos = 0;
  for (int d = 0; d < dense->rank; d++) {
    int64_t i = tensor_i64(indices, k * dense->rank + d);
    if (i < 0 || i >= dense->dim[d]) return -1;
    pos = pos * dense->dim[d] + i;
  }
  return pos;
}

static bool scatter(const Place *at, Tensor *dense, const Tensor *values,
                    const Tensor *indices)
{
  size_t size = dense->dtype == DT_STR ? sizeof(Str)
                : (size_t)dtype_info(dense->dtype)->size;
  if (dense->n > MAX_DENSE / (int64_t)size) {
    place_fail(at, EXIT_UNSUPPORTED, "is sparse and would be over 2 GB when "
               "dense; make it smaller");
    return false;
  }
  char *out = arena_array(&at->im->m->arena, size, (size_t)dense->n);
  dense->data = out;
  for (int64_t i = 0; dense->dtype == DT_STR && i < dense->n; i++)
    ((Str *)(void *)out)[i].p = "";
  for (int64_t k = 0; k < values->n; k++) {
    int64_t pos = sparse_position(dense, indices, k);
    if (pos < 0) {
      place_fail(at, EXIT_MODEL, "has sparse index %lld outside of its dims; "
                 "the file is damaged", (long long)k);
      return false;
    }
    memcpy(out + (size_t)pos * size,
           (const char *)values->data + (size_t)k * size, size);
  }
  return true;
}

const Tensor *import_sparse(const Place *at, const Pb *pb,
                            const Onnx__SparseTensorProto *sp)
{
  if (!sp->values) {
    place_fail(at, EXIT_MODEL, "is sparse and has no values; the file is "
               "damaged");
    return NULL;
  }
  const Tensor *values = import_tensor(at, pb, sp->values);
  /* Without a value ONNX allows the indices to be missing. */
  const Tensor *indices = !values || (!values->n && !sp->indices) ? values
    : sp->indices ? import_tensor(at, pb, sp->indices) : NULL;
  Tensor *t = NEW(&at->im->m->arena, Tensor, 1);
  if (!values || (!indices && sp->indices)) return NULL;
  if (!read_dims(at, pb, sp, 3, t)) return NULL;
  t->dtype = values->dtype;
  t->name = values->name;
  int64_t per = indices && indices->rank == 2 ? t->rank : 1;
  if (values->rank != 1 || !indices ||
      (values->n && (indices->dtype != DT_I64 || indices->rank < 1 ||
                     indices->rank > 2 || indices->n != values->n * per))) {
    place_fail(at, EXIT_MODEL, "is sparse, with values or indices of the wrong "
               "shape or type; ONNX wants [n] and int64 [n] or [n,rank]");
    return NULL;
  }
  return scatter(at, t, values, indices) ? t : NULL;
}

/* --- Test data ------------------------------------------------------------ */

const Tensor *import_tensor_file(Model *m, const char *path)
{
  Import *im = import_state(m);
  const char *why = NULL;
  const char *quoted = quote(&m->arena, path);
  const FileMap *f = file_map(im, path, &why);
  if (!f) {
    diag_model(m, SEV_ERROR, EXIT_USAGE, "%s cannot be read: %s", quoted, why);
    return NULL;
  }
  Pb pb = {.m = m, .tmp = &m->arena, .p = f->p, .n = f->n};
  Place at = {im, NULL, arena_printf(&m->arena, "test data %s", quoted)};
  int errors = m->nerror;
  const Onnx__TensorProto *tp =
    (const void *)pb_read(&pb, &onnx__tensor_proto__descriptor);
  if (!tp || tp->segment) {
    place_fail(&at, EXIT_MODEL, "is no TensorProto, but the model has a tensor "
               "there; give it the data of this model");
    return NULL;
  }
  const Tensor *t = import_tensor(&at, &pb, tp);
  if (m->nerror != errors) return NULL;
  tensor_aligned(m, t); /* small beside weights: spare everybody the care */
  return t;
}

/* The elements as raw_data has them: packed below 8 bits. */
static void put_elements(StrBuf *b, const Tensor *t)
{
  const DtypeInfo *info = dtype_info(t->dtype);
  const uint8_t *p = t->data;
  if (info->bits >= 8) {
    pb_put_bytes(b, F_RAW, p, bytes_of(t));
    return;
  }
  unsigned mask = (1u << info->bits) - 1, held = 0;
  int have = 0;
  StrBuf raw;
  sb_init(&raw, b->a);
  for (int64_t i = 0; i < t->n; i++) {
    held |= (p[i] & mask) << have;
    have += info->bits;
    if (have < 8 && i + 1 < t->n) continue;
    for (; have >= 8 || (have > 0 && i + 1 == t->n); have -= 8, held >>= 8) {
      uint8_t c = (uint8_t)held;
      sb_write(&raw, &c, 1);
    }
  }
  pb_put_bytes(b, F_RAW, raw.s, raw.n);
  sb_free(&raw);
}

void export_tensor(StrBuf *b, const Tensor *t)
{
  for (int k = 0; k < t->rank; k++)
    pb_put_int(b, F_DIMS, (uint64_t)t->dim[k]);
  pb_put_int(b, 2, (uint64_t)t->dtype);
  const Str *s = t->data;
  for (int64_t i = 0; t->dtype == DT_STR && i < t->n; i++)
    pb_put_bytes(b, F_STRING, s[i].p, s[i].n);
  if (t->name && *t->name) pb_put_bytes(b, 8, t->name, strlen(t->name));
  if (t->dtype != DT_STR) put_elements(b, t);
}

bool export_tensor_file(const char *path, const Tensor *t)
{
  StrBuf b;
  sb_init(&b, NULL);
  export_tensor(&b, t);
  FILE *f = fopen(path, "wb");
  bool ok = f && fwrite(b.s, 1, b.n, f) == b.n;
  if (f && fclose(f)) ok = false;
  sb_free(&b);
  return ok;
}
