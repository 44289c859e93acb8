/* SPDX-License-Identifier: Apache-2.0 */
/* How constants reach the program.
 *
 *   array   readable C arrays, one for each tensor
 *   string  string literals, read through a union: compiles 20 times faster
 *   object  one blob in an object file that we write (elf.c)
 *   incbin  one blob, taken in by the assembler
 *   file    one blob that the caller loads and passes to init
 *   auto    array up to 64 KB, string up to 16 MB, else object
 *
 * Tensors of strings hold pointers, so they are arrays in every mode. The
 * blob starts with WEIGHTS_HEADER bytes that identify the model; each tensor
 * is aligned to 64 bytes. Packed weights are made as they are written, a part
 * at a time, so a gigabyte of them takes no memory.
 */
#include "target.h"

#include <errno.h>
#include <string.h>

#define BUFFER ((size_t)1 << 20) /* bytes made before they are written */

static int64_t tensor_bytes(const Tensor *t)
{
  return t->n * dtype_info(t->dtype)->size;
}

static bool in_text(const Plan *p, WeightMode mode, int k)
{
  return mode == WM_ARRAY || mode == WM_STRING ||
         p->weight[k]->dtype == DT_STR;
}

WeightMode weights_mode(const Plan *p)
{
  static const char *const names[] = { "array", "string", "object", "incbin",
                                       "file" };
  const char *want = p->m->opt->weights;
  for (int i = 0; want && i < COUNT(names); i++)
    if (!strcmp(want, names[i]))
      return (WeightMode)i;
  if (p->weight_bytes <= 64 * 1024)
    return WM_ARRAY;
  return p->weight_bytes <= 16 * 1024 * 1024 ? WM_STRING : WM_OBJECT;
}

/* Different weights differ within their first bytes, so this reads little. */
static bool same_bytes(const Tensor *a, const Tensor *b)
{
  if (a->dtype != b->dtype || a->n != b->n || !a->packing != !b->packing)
    return false;
  if (a->data == b->data && !a->packing)
    return true;
  if (!a->packing)
    return !memcmp(a->data, b->data, (size_t)tensor_bytes(a));
  const Packing *p = a->packing, *q = b->packing;
  return p->make == q->make && p->parts == q->parts &&
         !memcmp(p->arg, q->arg, sizeof p->arg) && same_bytes(p->from, q->from);
}

/* The number of a constant among the weights. One content is there once,
 * whatever values of the graph have it. */
int weights_add(Plan *p, Value *v)
{
  const Tensor *t = v->data;
  int64_t size = t->dtype == DT_STR ? 0 : tensor_bytes(t);
  for (int k = 0; k < p->nweight && size > 0; k++)
    if (same_bytes(p->weight[k]->data, t))
      return k;
  int k = p->nweight;
  p->weight = arena_grow(p->a, p->weight, k, sizeof *p->weight);
  p->weight_offset = arena_grow(p->a, p->weight_offset, k,
                                sizeof *p->weight_offset);
  p->weight[k] = v;
  p->weight_offset[k] = p->weight_bytes;
  p->weight_bytes += O2C_SLOT_BYTES(size);
  p->nweight++;
  return k;
}

/* Element i as a C constant. */
static void put_element(StrBuf *c, const Tensor *t, int64_t i)
{
  const DtypeInfo *d = dtype_info(t->dtype);
  if (t->dtype == DT_F32)
    sb_float(c, ((const float *)t->data)[i], true);
  else if (t->dtype == DT_F64)
    sb_float(c, ((const double *)t->data)[i], false);
  else if (t->dtype == DT_I64 && ((const int64_t *)t->data)[i] == INT64_MIN)
    sb_puts(c, "INT64_MIN"); /* the minus of a literal comes too late */
  else if (t->dtype == DT_I64)
    sb_printf(c, "INT64_C(%lld)", (long long)((const int64_t *)t->data)[i]);
  else if (t->dtype == DT_U64)
    sb_printf(c, "UINT64_C(%llu)",
              (unsigned long long)((const uint64_t *)t->data)[i]);
  else if (d->cls == DC_FLOAT && d->size == 2)
    sb_printf(c, "0x%04x", (unsigned)((const uint16_t *)t->data)[i]);
  else if (d->cls == DC_FLOAT)
    sb_printf(c, "0x%02x", (unsigned)((const uint8_t *)t->data)[i]);
  else if (t->dtype == DT_I32 && ((const int32_t *)t->data)[i] == INT32_MIN)
    sb_puts(c, "INT32_MIN");
  else
    sb_printf(c, "%lld", (long long)tensor_i64(t, i));
}

static void put_bytes(StrBuf *c, const unsigned char *s, size_t n)
{
  size_t column = 0;
  sb_puts(c, "\n  \"");
  for (size_t i = 0; i < n; i++) {
    char buf[8];
    bool digit = i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '7';
    bool plain = s[i] >= ' ' && s[i] < 127 && s[i] != '"' && s[i] != '\\' &&
                 s[i] != '?';
    int k = plain ? snprintf(buf, sizeof buf, "%c", s[i])
                  : snprintf(buf, sizeof buf, digit ? "\\%03o" : "\\%o", s[i]);
    sb_write(c, buf, (size_t)k);
    column += (size_t)k;
    if (column > 70 && i + 1 < n) {
      sb_puts(c, "\"\n  \"");
      column = 0;
    }
  }
  sb_puts(c, "\"");
}

/* With levels they stand above the kernels, whose locals are called w0. */
static const char *weight_name(const Plan *p, int k)
{
  return arena_printf(p->a, p->nlevel ? "weight%d" : "w%d", k);
}

static void put_strings(const Plan *p, StrBuf *c, const Tensor *t, int k)
{
  const Str *s = t->data;
  sb_printf(c, "static const o2c_str %s[] WEIGHT_PLACE = {",
            weight_name(p, k));
  for (int64_t i = 0; i < t->n; i++) {
    sb_puts(c, "{ ");
    put_bytes(c, (const unsigned char *)s[i].p, s[i].n);
    sb_printf(c, ", %zu },", s[i].n);
  }
  sb_puts(c, t->n ? "\n};\n" : " { \"\", 0 } };\n");
}

static void put_array(const Plan *p, StrBuf *c, const Tensor *t, int k)
{
  if (t->dtype == DT_STR) {
    put_strings(p, c, t, k);
    return;
  }
  int lanes = t->dtype == DT_C64 || t->dtype == DT_C128 ? 2 : 1;
  Tensor flat = *t;
  if (lanes == 2)
    flat.dtype = t->dtype == DT_C64 ? DT_F32 : DT_F64;
  flat.n = t->n * lanes;
  sb_printf(c, "static const %s %s[%lld] WEIGHT_PLACE = {",
            dtype_info(flat.dtype)->c, weight_name(p, k),
            (long long)(flat.n ? flat.n : 1));
  size_t line = c->n;
  for (int64_t i = 0; i < flat.n; i++) {
    sb_puts(c, i ? "," : "");
    if (i == 0 || c->n - line > 66) {
      sb_puts(c, "\n  ");
      line = c->n;
    } else {
      sb_puts(c, " ");
    }
    put_element(c, &flat, i);
  }
  sb_puts(c, flat.n ? "\n};\n" : " 0 };\n");
}

static void put_string(const Plan *p, StrBuf *c, const Tensor *t, int k)
{
  const DtypeInfo *d = dtype_info(t->dtype);
  if (t->dtype == DT_STR || t->n == 0) {
    put_array(p, c, t, k);
    return;
  }
  int64_t bytes = t->n * d->size;
  sb_printf(c, "static const union { unsigned char b[%lld]; %s v[%lld]; }\n"
            "%s WEIGHT_PLACE = {", (long long)bytes, d->c, (long long)t->n,
            weight_name(p, k));
  put_bytes(c, t->data, (size_t)bytes);
  sb_puts(c, " };\n");
}

/* What a blob is aligned to on 64-bit machines. Large ones to 2 MB, then Linux
 * maps them by huge pages where the file stands in the page cache by those,
 * which is after linking and copying: a fault every 2 MB instead of 64 KB. */
int64_t weights_align(int64_t size)
{
  return size >= 4 << 20 ? 2 << 20 : 64;
}

static void put_incbin(const Plan *p, StrBuf *c)
{
  const char *section = p->m->opt->section;
  sb_printf(c,
    "#if defined __x86_64__ || defined __aarch64__\n"
    "#define WEIGHTS_ALIGN \"%lld\"\n"
    "#else\n"
    "#define WEIGHTS_ALIGN \"64\"\n"
    "#endif\n",
    (long long)weights_align(p->weight_bytes + WEIGHTS_HEADER));
  sb_printf(c,
    "/* The blob beside this file, or in the folder that the macro names. */\n"
    "#ifdef O2C_WEIGHTS_DIR\n"
    "#define WEIGHTS_PATH O2C_WEIGHTS_DIR \"/%s.c.weights\"\n"
    "#else\n"
    "#define WEIGHTS_PATH __FILE__ \".weights\"\n"
    "#endif\n"
    "__asm__(\".pushsection %s,\\\"a\\\"\\n\"\n"
    "        \".balign \" WEIGHTS_ALIGN \"\\n\"\n"
    "        \".globl %s_weights\\n\"\n"
    "        \"%s_weights: .incbin \\\"\" WEIGHTS_PATH \"\\\"\\n\"\n"
    "        \".popsection\\n\");\n",
    p->name, section ? section : ".rodata.o2c", p->name, p->name);
}

/* Where tables of weights stand, and aligned for what: vectors are as long as
 * a cache line on large machines, and flash is scarce on small ones. */
static void put_place(const Plan *p, StrBuf *c)
{
  const char *name = p->m->opt->section;
  const char *section = name
    ? arena_printf(p->a, "section(\"%s\"), ", name) : "";
  sb_printf(c,
    "#if defined __GNUC__ && (defined __x86_64__ || defined __aarch64__)\n"
    "#define WEIGHT_PLACE __attribute__((%saligned(64)))\n"
    "#elif defined __GNUC__\n"
    "#define WEIGHT_PLACE __attribute__((%saligned(4)))\n"
    "#else\n"
    "#define WEIGHT_PLACE\n"
    "#endif\n", section, section);
}

static void put_literal_rules(StrBuf *c)
{
  sb_puts(c,
    "#if defined __BYTE_ORDER__ && "
    "__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__\n"
    "#error \"weights are little-endian: compile with --weights array\"\n"
    "#endif\n"
    "#ifdef __GNUC__\n"
    "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
    "#endif\n");
}

/* `t` with its bytes in memory. */
static Tensor made(const Plan *p, const Tensor *t)
{
  Tensor all = *t;
  const Packing *k = t->packing;
  if (!k)
    return all;
  size_t size = (size_t)tensor_bytes(t);
  char *to = arena_alloc(p->a, size);
  for (int64_t i = 0; i < k->parts; i++)
    k->make(k, i, to + (size_t)i * (size / (size_t)k->parts));
  all.data = to;
  return all;
}

void weights_text(const Plan *p, WeightMode mode, StrBuf *c)
{
  bool first = true;
  for (int k = 0; k < p->nweight; k++) {
    Value *v = p->weight[k];
    if (!in_text(p, mode, k))
      continue;
    if (first)
      put_place(p, c);
    if (first && mode == WM_STRING)
      put_literal_rules(c);
    first = false;
    sb_printf(c, "/* %s %s */\n", emit_safe(p, v->name),
              emit_shape(p, v->rank, v->dim));
    Tensor t = made(p, v->data);
    if (mode == WM_STRING)
      put_string(p, c, &t, k);
    else
      put_array(p, c, &t, k);
  }
  if (mode == WM_INCBIN)
    put_incbin(p, c);
  if (mode == WM_OBJECT || mode == WM_INCBIN)
    sb_printf(c, "extern const unsigned char %s_weights[];\n", p->name);
  if (mode >= WM_OBJECT)
    sb_puts(c, "#define WEIGHT(T, offset) "
               "((const T *)(const void *)(ctx->weights + (offset)))\n");
}

const char *weights_expr(const Plan *p, WeightMode mode, int k)
{
  const Tensor *t = p->weight[k]->data;
  const char *type = dtype_info(t->dtype)->c;
  if (!in_text(p, mode, k))
    return arena_printf(p->a, "WEIGHT(%s, %lld)", type,
                        (long long)p->weight_offset[k] + WEIGHTS_HEADER);
  if (mode == WM_STRING && t->dtype != DT_STR && t->n > 0)
    return arena_printf(p->a, "%s.v", weight_name(p, k));
  if (t->dtype == DT_C64 || t->dtype == DT_C128)
    return arena_printf(p->a, "(const %s *)(const void *)%s", type,
                        weight_name(p, k));
  return weight_name(p, k);
}

bool weights_in_blob(const Plan *p, WeightMode mode, int k)
{
  return !in_text(p, mode, k);
}

/* The blob goes to a file, if there is one, and into a hash. */
typedef struct {
  FILE *f;
  bool ok;
  uint64_t hash;
} Blob;

static void put(Blob *b, const void *p, size_t n)
{
  b->hash = hash_bytes(p, n, b->hash);
  if (n && b->f && b->ok)
    b->ok = fwrite(p, n, 1, b->f) == 1;
}

/* Parts are collected: many are small. */
static void put_packed(Blob *b, const Plan *p, const Tensor *t)
{
  const Packing *k = t->packing;
  size_t part = (size_t)(tensor_bytes(t) / k->parts);
  int64_t most = part < BUFFER ? (int64_t)(BUFFER / part) : 1;
  for (int64_t i = 0, n; i < k->parts; i += n) {
    n = k->parts - i < most ? k->parts - i : most;
    for (int64_t j = 0; j < n; j++)
      k->make(k, i + j, p->buffer + (size_t)j * part);
    put(b, p->buffer, (size_t)n * part);
  }
}

/* Room for the parts that are made together. */
static void reserve(Plan *p)
{
  size_t size = BUFFER;
  for (int k = 0; k < p->nweight; k++) {
    const Tensor *t = p->weight[k]->data;
    if (t->packing && t->n &&
        (size_t)(tensor_bytes(t) / t->packing->parts) > size)
      size = (size_t)(tensor_bytes(t) / t->packing->parts);
  }
  if (!p->buffer)
    p->buffer = arena_alloc(p->a, size);
}

/* Every tensor at its offset, after the header. Strings are not in it. */
static void put_tensors(Blob *b, Plan *p)
{
  static const unsigned char zero[64];
  reserve(p);
  b->hash = hash_bytes(p->m->sha256, 64, 0);
  for (int k = 0; k < p->nweight; k++) {
    const Tensor *t = p->weight[k]->data;
    size_t size = t->dtype == DT_STR ? 0 : (size_t)tensor_bytes(t);
    if (t->packing && size)
      put_packed(b, p, t);
    else
      put(b, t->data, size);
    put(b, zero, (64 - size % 64) % 64);
  }
  p->blob_hash = b->hash;
}

uint64_t weights_hash(Plan *p)
{
  Blob b = { .ok = true };
  if (!p->blob_hash)
    put_tensors(&b, p);
  return p->blob_hash;
}

/* The hash is known when all is written: then its place is filled. */
static bool write_blob(Plan *p, FILE *f)
{
  unsigned char head[WEIGHTS_HEADER] = "O2CW";
  Blob b = { .f = f };
  long at = ftell(f);
  b.ok = at >= 0 && fwrite(head, sizeof head, 1, f) == 1;
  put_tensors(&b, p);
  for (int i = 0; i < 8; i++)
    head[8 + i] = (unsigned char)(b.hash >> (8 * i));
  return b.ok && fseek(f, at, SEEK_SET) == 0 &&
         fwrite(head, sizeof head, 1, f) == 1 && fseek(f, 0, SEEK_END) == 0;
}

bool weights_write(Plan *p, WeightMode mode, const char *path)
{
  /* Truncating a file makes ext4 wait for the disk when it is closed. */
  FILE *f = fopen(path, "r+b");
  bool ok = f != NULL;
  int64_t size = p->weight_bytes + WEIGHTS_HEADER;
  if (ok && mode == WM_OBJECT)
    ok = elf_begin(p->m, f, p->name, size);
  ok = ok && write_blob(p, f);
  if (ok && mode == WM_OBJECT)
    ok = elf_end(p->m, f, p->name, size);
  if (f && fclose(f) != 0)
    ok = false;
  if (!ok && !p->m->nerror)
    diag_model(p->m, SEV_ERROR, EXIT_ENVIRONMENT, "can't write %s: %s", path,
               strerror(errno));
  return ok;
}
