/* SPDX-License-Identifier: Apache-2.0 */
/* json: the model as text, in protobuf's mapping to JSON, which its libraries
 * read back: fields by their names in camel case, 64-bit numbers in quotes,
 * bytes in base64. Payloads are printed from where they stand. */
#include "edit.h"
#include <math.h>
#include <string.h>

typedef struct { Edit *e; FILE *f; int depth; } Json;
typedef const ProtobufCFieldDescriptor FieldDesc;

static void put_message(Json *j, const ProtobufCMessage *msg);

static void put_line(Json *j)
{
  fprintf(j->f, "\n%*s", 2 * j->depth, "");
}

static void put_text(Json *j, const char *s)
{
  StrBuf b;
  sb_init(&b, j->e->a);
  sb_json(&b, s);
  fwrite(b.s, 1, b.n, j->f);
  sb_free(&b);
}

static void put_key(Json *j, const char *name, bool *first)
{
  if (!*first) fputc(',', j->f);
  *first = false;
  put_line(j);
  fputc('"', j->f);
  for (bool up = false; *name; name++) {
    if (*name == '_') {
      up = true;
      continue;
    }
    fputc(up && *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name,
          j->f);
    up = false;
  }
  fputs("\": ", j->f);
}

static void put_base64(Json *j, Str s)
{
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                              "uvwxyz0123456789+/";
  const unsigned char *p = (const unsigned char *)s.p;
  fputc('"', j->f);
  for (size_t i = 0; i < s.n; i += 3) {
    size_t n = s.n - i < 3 ? s.n - i : 3;
    unsigned v = (unsigned)p[i] << 16 | (n > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                 (n > 2 ? p[i + 2] : 0);
    char out[4] = {digit[v >> 18], digit[v >> 12 & 63],
                   n > 1 ? digit[v >> 6 & 63] : '=', n > 2 ? digit[v & 63]
                   : '='};
    fwrite(out, 1, sizeof out, j->f);
  }
  fputc('"', j->f);
}

static void put_real(Json *j, double v, bool f32)
{
  if (isnan(v)) fputs("\"NaN\"", j->f);
  else if (isinf(v)) fputs(v < 0 ? "\"-Infinity\"" : "\"Infinity\"", j->f);
  else {
    StrBuf b;
    sb_init(&b, j->e->a);
    sb_float(&b, v, f32);
    fwrite(b.s, 1, b.n - (f32 ? 1 : 0), j->f); /* without C's f */
    sb_free(&b);
  }
}

static void put_number(Json *j, FieldDesc *f, uint64_t u)
{
  float x;
  double d;
  uint32_t low = (uint32_t)u;
  const ProtobufCEnumValue *v;
  switch (f->type) {
  case PROTOBUF_C_TYPE_FLOAT:
    memcpy(&x, &low, sizeof x);
    put_real(j, (double)x, true);
    break;
  case PROTOBUF_C_TYPE_DOUBLE:
    memcpy(&d, &u, sizeof d);
    put_real(j, d, false);
    break;
  case PROTOBUF_C_TYPE_INT32: fprintf(j->f, "%d", (int)(int32_t)low); break;
  case PROTOBUF_C_TYPE_UINT64:
    fprintf(j->f, "\"%llu\"", (unsigned long long)u);
    break;
  case PROTOBUF_C_TYPE_ENUM:
    v = protobuf_c_enum_descriptor_get_value(f->descriptor, (int)low);
    if (v) put_text(j, v->name);
    else fprintf(j->f, "%d", (int)(int32_t)low);
    break;
  default: fprintf(j->f, "\"%lld\"", (long long)u); break;
  }
}

/* --- Payloads ------------------------------------------------------------- */

/* Metadata of nodes: messages that were left in the file. */
static void put_entry(Json *j, Str s)
{
  Arena tmp = {.panic = j->e->a->panic};
  Pb pb = {.m = j->e->m, .tmp = &tmp, .p = (const uint8_t *)s.p, .n = s.n};
  const ProtobufCMessage *msg =
    pb_read(&pb, &onnx__string_string_entry_proto__descriptor);
  if (msg) put_message(j, msg);
  else fputs("{}", j->f);
  arena_free(&tmp);
}

static void put_item(Json *j, FieldDesc *f, const PbItem *x)
{
  if (f->type == PROTOBUF_C_TYPE_BYTES) put_base64(j, x->s);
  else if (f->type == PROTOBUF_C_TYPE_STRING)
    put_text(j, arena_strn(j->e->a, x->s.p, x->s.n));
  else if (f->type == PROTOBUF_C_TYPE_MESSAGE) put_entry(j, x->s);
  else put_number(j, f, x->u);
}

static void put_payload(Json *j, const ProtobufCMessage *msg, FieldDesc *f,
                        bool *first)
{
  PbIter it = pb_iter(j->e->pb, msg, f->id);
  PbItem x = {0};
  if (!pb_count(j->e->pb, msg, f->id)) return;
  put_key(j, f->name, first);
  if (f->label != PROTOBUF_C_LABEL_REPEATED) {
    while (pb_next(&it, &x)) {}
    put_item(j, f, &x);
    return;
  }
  fputc('[', j->f);
  for (int i = 0; pb_next(&it, &x); i++) {
    if (i) fputs(", ", j->f);
    put_item(j, f, &x);
  }
  fputc(']', j->f);
}

/* --- Fields --------------------------------------------------------------- */

static void put_value(Json *j, FieldDesc *f, const char *p)
{
  uint64_t u = 0;
  void *x;
  if (f->type == PROTOBUF_C_TYPE_MESSAGE || f->type == PROTOBUF_C_TYPE_STRING) {
    memcpy(&x, p, sizeof x);
    if (f->type == PROTOBUF_C_TYPE_STRING) put_text(j, x);
    else put_message(j, x);
    return;
  }
  bool small = f->type == PROTOBUF_C_TYPE_FLOAT ||
               f->type == PROTOBUF_C_TYPE_INT32 ||
               f->type == PROTOBUF_C_TYPE_ENUM;
  memcpy(&u, p, small ? 4 : 8);
  put_number(j, f, u);
}

static void put_field(Json *j, const ProtobufCMessage *msg, FieldDesc *f,
                      bool *first)
{
  const char *items = (const char *)msg + f->offset;
  size_t n = pb_items(f, msg);
  if (!n) return;
  put_key(j, f->name, first);
  if (f->label != PROTOBUF_C_LABEL_REPEATED) {
    put_value(j, f, items);
    return;
  }
  const char *list;
  memcpy(&list, items, sizeof list);
  fputc('[', j->f);
  j->depth++;
  for (size_t i = 0; i < n; i++) {
    if (i) fputc(',', j->f);
    put_line(j);
    put_value(j, f, list + i * sizeof(void *));
  }
  j->depth--;
  put_line(j);
  fputc(']', j->f);
}

static void put_message(Json *j, const ProtobufCMessage *msg)
{
  const ProtobufCMessageDescriptor *d = msg->descriptor;
  bool first = true;
  fputc('{', j->f);
  j->depth++;
  for (unsigned i = 0; i < d->n_fields; i++) {
    FieldDesc *f = &d->fields[i];
    if (pb_payload(d, f)) put_payload(j, msg, f, &first);
    else put_field(j, msg, f, &first);
  }
  j->depth--;
  if (!first) put_line(j);
  fputc('}', j->f);
}

bool step_json(Edit *e, const EditStep *s)
{
  const char *path = s->n ? s->arg[0] : "-";
  bool out = !strcmp(path, "-");
  FILE *f = out ? stdout : fopen(path, "wb");
  if (!f)
    return edit_fail(e, EXIT_ENVIRONMENT, "%s can't be written", Q(e, path));
  Json j = {.e = e, .f = f};
  put_message(&j, &e->mp->base);
  fputc('\n', f);
  bool ok = !ferror(f);
  ok = !(out ? fflush(f) : fclose(f)) && ok;
  e->quiet_out = true;
  return ok || edit_fail(e, EXIT_ENVIRONMENT, "%s can't be written: is the "
                         "disk full?", Q(e, path));
}
