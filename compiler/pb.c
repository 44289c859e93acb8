/* SPDX-License-Identifier: Apache-2.0 */
/* The wire format of protocol buffers: the one reader, and the writer.
 *
 * protobuf-c alone would copy every weight, grow lists of numbers eightfold
 * and recurse as deep as the file says. So a loop walks the mapped file first,
 * with a stack of at most DEPTH messages, guided by protobuf-c's descriptors.
 * It checks every length, wire type and name, and copies the message without
 * its payloads (bytes, repeated numbers, doc strings, unknown fields): the
 * skeleton. Payloads are noted as runs, stretches of the file. A message that
 * has some carries their number in the skeleton, as the field MARK, which
 * protobuf-c keeps as an unknown one. The skeleton then goes to protobuf-c.
 *
 * Bytes of names that are NUL or no UTF-8 become the text \xNN, the same way
 * everywhere, so that names still match and stay C strings. */
#include "import.h"
#include <limits.h>
#include <string.h>

#define DEPTH 100
#define MARK 19999u      /* reserved by protobuf: in no schema */
#define LEN_BYTES 5      /* a length is patched in, as a padded varint */

typedef const ProtobufCMessageDescriptor Desc;
typedef const ProtobufCFieldDescriptor FieldDesc;
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_32 = 5 };

typedef struct {
  Desc *d;
  const char *field;     /* by which the message above holds this one */
  size_t end, patch;     /* in the file; in the skeleton */
  PbRun *head, *tail;
  uint64_t seen;         /* singular messages that were there */
} Frame;
typedef struct {
  Pb *pb;
  size_t pos;
  int depth;
  bool renamed;          /* a name had bytes to escape */
  Frame frame[DEPTH];
} Walk;
typedef struct {
  uint32_t number;
  int wire;
  size_t start, from, to; /* of the record; of its value */
  uint64_t v;             /* of a varint */
} Record;

static bool get_varint(const uint8_t *p, size_t end, size_t *pos, uint64_t *v)
{
  uint64_t x = 0;
  for (int shift = 0; *pos < end && shift < 70; shift += 7) {
    uint8_t b = p[(*pos)++];
    x |= (uint64_t)(b & 0x7f) << shift;
    if (!(b & 0x80)) {
      *v = x;
      return true;
    }
  }
  return false;
}

void pb_put_varint(StrBuf *b, uint64_t v)
{
  uint8_t s[10];
  size_t n = 0;
  for (; v >= 0x80; v >>= 7) s[n++] = (uint8_t)(v | 0x80);
  s[n++] = (uint8_t)v;
  sb_write(b, s, n);
}

void pb_put_int(StrBuf *b, uint32_t field, uint64_t v)
{
  pb_put_varint(b, (uint64_t)field << 3 | WIRE_VARINT);
  pb_put_varint(b, v);
}

void pb_put_bytes(StrBuf *b, uint32_t field, const void *p, size_t n)
{
  pb_put_varint(b, (uint64_t)field << 3 | WIRE_LEN);
  pb_put_varint(b, n);
  sb_write(b, p, n);
}

/* Where in the message the walk is: the innermost fields of the path. */
static const char *walk_path(const Walk *w, const char *field)
{
  Arena *a = w->pb->tmp;
  int from = w->depth > 4 ? w->depth - 4 : 0;
  const char *s = from ? ".." : w->frame[0].d->short_name;
  for (int i = from ? from : 1; i < w->depth; i++)
    s = arena_printf(a, "%s.%s", s, w->frame[i].field);
  return field ? arena_printf(a, "%s.%s", s, field) : s;
}

static bool damaged(Walk *w, size_t at, const char *field, const char *what)
{
  diag_model(w->pb->m, SEV_ERROR, EXIT_MODEL, "byte %zu (%s): %s; the file "
             "is damaged, cut short, or not ONNX: get it again", at,
             walk_path(w, field), what);
  return false;
}

/* Tag and extent of the next record of the innermost message. */
static bool read_record(Walk *w, Record *r)
{
  const uint8_t *p = w->pb->p;
  size_t end = w->frame[w->depth - 1].end, pos = w->pos;
  uint64_t tag = 0, len = 0;
  r->start = pos;
  if (!get_varint(p, end, &pos, &tag) || tag > UINT32_MAX || tag < 8)
    return damaged(w, r->start, NULL, "no field can start here");
  r->number = (uint32_t)(tag >> 3);
  r->wire = (int)(tag & 7);
  r->from = pos;
  switch (r->wire) {
  case WIRE_VARINT:
    if (!get_varint(p, end, &pos, &r->v))
      return damaged(w, r->start, NULL, "a number does not end");
    len = pos - r->from;
    break;
  case WIRE_64: len = 8; break;
  case WIRE_32: len = 4; break;
  case WIRE_LEN:
    if (!get_varint(p, end, &pos, &len))
      return damaged(w, r->start, NULL, "a length does not end");
    r->from = pos;
    break;
  default:
    return damaged(w, r->start, NULL, "a field of no known wire type");
  }
  if (len > end - r->from)
    return damaged(w, r->start, NULL, arena_printf(w->pb->tmp,
      "%llu bytes announced, %zu are left", (unsigned long long)len,
      end - r->from));
  r->to = r->from + (size_t)len;
  return true;
}

static int wire_of(ProtobufCType t)
{
  switch (t) {
  case PROTOBUF_C_TYPE_FLOAT: case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32: return WIRE_32;
  case PROTOBUF_C_TYPE_DOUBLE: case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64: return WIRE_64;
  case PROTOBUF_C_TYPE_STRING: case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE: return WIRE_LEN;
  default: return WIRE_VARINT;
  }
}

static bool repeated(FieldDesc *f)
{
  return f->label == PROTOBUF_C_LABEL_REPEATED;
}

/* Exporters write stack traces as metadata of each node: nobody reads them. */
bool pb_payload(const ProtobufCMessageDescriptor *d,
                const ProtobufCFieldDescriptor *f)
{
  if (f->type == PROTOBUF_C_TYPE_BYTES) return true;
  if (f->type == PROTOBUF_C_TYPE_STRING) return !strcmp(f->name, "doc_string");
  if (f->type == PROTOBUF_C_TYPE_MESSAGE)
    return !strcmp(f->name, "metadata_props") &&
           d != &onnx__model_proto__descriptor;
  return repeated(f);
}

/* Elements of a record of a list; -1: malformed. */
static int64_t count_elements(const uint8_t *p, FieldDesc *f, const Record *r)
{
  if (!f || r->wire == wire_of(f->type)) return 1;
  int wire = wire_of(f->type);
  size_t n = r->to - r->from;
  if (wire == WIRE_32) return n % 4 ? -1 : (int64_t)(n / 4);
  if (wire == WIRE_64) return n % 8 ? -1 : (int64_t)(n / 8);
  int64_t count = 0;
  uint64_t v;
  for (size_t pos = r->from; pos < r->to; count++)
    if (!get_varint(p, r->to, &pos, &v)) return -1;
  return count;
}

static bool note_run(Walk *w, FieldDesc *f, const Record *r)
{
  Frame *top = &w->frame[w->depth - 1];
  int64_t n = count_elements(w->pb->p, f, r);
  if (n < 0)
    return damaged(w, r->start, f ? f->name : NULL, "a packed list is ragged");
  PbRun *run = top->tail;
  if (!run || run->field != r->number || run->to != r->start) {
    run = NEW(w->pb->tmp, PbRun, 1);
    run->field = r->number;
    run->p = w->pb->p;
    run->from = r->start;
    if (top->tail) top->tail->next = run;
    else top->head = run;
    top->tail = run;
  }
  run->to = r->to;
  run->count += (uint64_t)n;
  return true;
}

/* Length of the UTF-8 sequence that starts n bytes at s; 0: none. */
static size_t utf8_length(const uint8_t *s, size_t n)
{
  if (s[0] && s[0] < 0x80) return 1;
  if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
  size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (len > n) return 0;
  for (size_t i = 1; i < len; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) ||
                  (s[0] == 0xf0 && s[1] < 0x90);
  bool surrogate = s[0] == 0xed && s[1] > 0x9f;
  bool too_high = s[0] == 0xf4 && s[1] > 0x8f;
  return overlong || surrogate || too_high ? 0 : len;
}

static void put_name(Walk *w, FieldDesc *f, const Record *r)
{
  const uint8_t *s = w->pb->p + r->from;
  size_t n = r->to - r->from;
  pb_put_varint(&w->pb->skel, (uint64_t)f->id << 3 | WIRE_LEN);
  size_t bad = 0;
  for (size_t k = 0, len; k < n; k += len ? len : 1)
    bad += !(len = utf8_length(s + k, n - k));
  pb_put_varint(&w->pb->skel, n + 3 * bad);
  if (!bad) {
    sb_write(&w->pb->skel, s, n);
    return;
  }
  if (!w->renamed)
    diag_model(w->pb->m, SEV_WARNING, EXIT_OK, "byte %zu (%s): a name which is "
               "not UTF-8 or holds a NUL; such bytes are read as \\xNN",
               r->from, walk_path(w, f->name));
  w->renamed = true;
  for (size_t k = 0, len; k < n; k += len ? len : 1) {
    len = utf8_length(s + k, n - k);
    if (len) sb_write(&w->pb->skel, s + k, len);
    else sb_printf(&w->pb->skel, "\\x%02x", s[k]);
  }
}

static bool open_message(Walk *w, Desc *d, const char *field, size_t end)
{
  if (w->depth == DEPTH)
    return damaged(w, w->pos, field, "messages nest more than 100 deep");
  w->frame[w->depth++] = (Frame){.d = d, .field = field, .end = end,
                                 .patch = w->pb->skel.n};
  if (w->depth > 1) sb_write(&w->pb->skel, "\0\0\0\0\0", LEN_BYTES);
  return true;
}

static bool close_message(Walk *w)
{
  Frame *f = &w->frame[w->depth - 1];
  if (f->head) {
    pb_put_int(&w->pb->skel, MARK, (uint64_t)w->pb->nrec);
    w->pb->rec = arena_grow(w->pb->tmp, w->pb->rec, w->pb->nrec,
                            sizeof *w->pb->rec);
    w->pb->rec[w->pb->nrec++] = f->head;
  }
  if (w->pb->skel.n > INT_MAX || w->pb->nrec == INT_MAX)
    return damaged(w, w->pos, NULL, "more than 2 GB without the weights");
  w->depth--;
  if (!w->depth) return true;
  size_t n = w->pb->skel.n - f->patch - LEN_BYTES;
  for (int i = 0; i < LEN_BYTES; i++)
    w->pb->skel.s[f->patch + (size_t)i] =
      (char)((n >> (7 * i) & 0x7f) | (i < LEN_BYTES - 1 ? 0x80u : 0));
  return true;
}

/* Merging two halves of a message, as protobuf has it, would lose the marks;
 * no writer makes such files. */
static bool twice(Walk *w, FieldDesc *f)
{
  Frame *top = &w->frame[w->depth - 1];
  if (repeated(f)) return false;
  uint64_t bit = (uint64_t)1 << ((f - top->d->fields) & 63);
  bool was = top->seen & bit;
  top->seen |= bit;
  return was;
}

static bool walk_record(Walk *w, const Record *r)
{
  Desc *d = w->frame[w->depth - 1].d;
  FieldDesc *f = protobuf_c_message_descriptor_get_field(d, r->number);
  w->pos = r->to;
  if (!f) return note_run(w, NULL, r);
  bool packed = repeated(f) && r->wire == WIRE_LEN;
  if (r->wire != wire_of(f->type) && !packed)
    return damaged(w, r->start, f->name, "a value of another type than ONNX "
                   "has there");
  if (pb_payload(d, f)) return note_run(w, f, r);
  if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
    if (twice(w, f))
      return damaged(w, r->start, f->name, "this message stands here twice");
    pb_put_varint(&w->pb->skel, (uint64_t)f->id << 3 | WIRE_LEN);
    w->pos = r->from;
    return open_message(w, f->descriptor, f->name, r->to);
  }
  if (f->type == PROTOBUF_C_TYPE_STRING) {
    put_name(w, f, r);
    return true;
  }
  pb_put_varint(&w->pb->skel, (uint64_t)f->id << 3 | (unsigned)r->wire);
  if (r->wire == WIRE_VARINT) pb_put_varint(&w->pb->skel, r->v);
  else sb_write(&w->pb->skel, w->pb->p + r->from, r->to - r->from);
  return true;
}

static bool walk(Walk *w, Desc *d)
{
  if (!open_message(w, d, NULL, w->pb->n)) return false;
  while (w->depth) {
    Record r = {0};
    if (w->pos == w->frame[w->depth - 1].end) {
      if (!close_message(w)) return false;
    } else if (!read_record(w, &r) || !walk_record(w, &r)) {
      return false;
    }
  }
  return true;
}

static void *tmp_alloc(void *tmp, size_t size)
{
  return arena_alloc(tmp, size);
}

static void tmp_free(void *tmp, void *p)
{
  (void)tmp;
  (void)p;
}

const ProtobufCMessage *pb_read(Pb *pb, const ProtobufCMessageDescriptor *d)
{
  Walk *w = NEW(pb->tmp, Walk, 1);
  w->pb = pb;
  sb_init(&pb->skel, pb->tmp);
  const ProtobufCMessage *msg = NULL;
  if (walk(w, d)) {
    ProtobufCAllocator tmp = {tmp_alloc, tmp_free, pb->tmp};
    msg = protobuf_c_message_unpack(d, &tmp, pb->skel.n,
                                    (const uint8_t *)pb->skel.s);
    if (!msg)
      diag_model(pb->m, SEV_ERROR, EXIT_MODEL, "protobuf-c does not take this "
                 "file: get it again, or write it anew with onnx.save");
  }
  sb_free(&pb->skel);
  return msg;
}

PbRun **pb_runs(const Pb *pb, const void *message)
{
  const ProtobufCMessage *msg = message;
  for (unsigned i = 0; i < msg->n_unknown_fields; i++) {
    const ProtobufCMessageUnknownField *u = &msg->unknown_fields[i];
    uint64_t k = 0;
    size_t pos = 0;
    if (u->tag == MARK && get_varint(u->data, u->len, &pos, &k) &&
        k < (uint64_t)pb->nrec)
      return &pb->rec[k];
  }
  return NULL;
}

static PbRun *runs_of(const Pb *pb, const void *msg)
{
  PbRun **r = pb_runs(pb, msg);
  return r ? *r : NULL;
}

/* The runs of a message that had none so far. */
static PbRun **runs_new(Pb *pb, ProtobufCMessage *msg)
{
  ProtobufCMessageUnknownField *u =
    NEW(pb->tmp, ProtobufCMessageUnknownField, msg->n_unknown_fields + 1);
  StrBuf b;
  sb_init(&b, pb->tmp);
  pb_put_varint(&b, (uint64_t)pb->nrec);
  for (unsigned i = 0; i < msg->n_unknown_fields; i++)
    u[i] = msg->unknown_fields[i];
  u[msg->n_unknown_fields] = (ProtobufCMessageUnknownField){
    .tag = MARK, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = b.n,
    .data = (uint8_t *)arena_strn(pb->tmp, b.s, b.n)};
  sb_free(&b);
  msg->unknown_fields = u;
  msg->n_unknown_fields++;
  pb->rec = arena_grow(pb->tmp, pb->rec, pb->nrec, sizeof *pb->rec);
  return &pb->rec[pb->nrec++];
}

void pb_add_run(Pb *pb, void *msg, const PbRun *run)
{
  PbRun **at = pb_runs(pb, msg);
  if (!at) at = runs_new(pb, msg);
  while (*at) at = &(*at)->next;
  *at = NEW(pb->tmp, PbRun, 1);
  **at = *run;
  (*at)->next = NULL;
}

void pb_clear(Pb *pb, void *msg, uint32_t field)
{
  PbRun **at = pb_runs(pb, msg);
  while (at && *at)
    if ((*at)->field == field) *at = (*at)->next;
    else at = &(*at)->next;
}

uint64_t pb_count(const Pb *pb, const void *msg, uint32_t field)
{
  uint64_t n = 0;
  for (const PbRun *r = runs_of(pb, msg); r; r = r->next)
    if (r->field == field) n += r->count;
  return n;
}

PbIter pb_iter(const Pb *pb, const void *msg, uint32_t field)
{
  const ProtobufCMessage *m = msg;
  FieldDesc *f = protobuf_c_message_descriptor_get_field(m->descriptor, field);
  PbIter it = {.pb = pb, .field = field, .run = runs_of(pb, m)};
  it.wire = f ? wire_of(f->type) : WIRE_LEN;
  while (it.run && it.run->field != field) it.run = it.run->next;
  if (it.run) it.at = it.run->from;
  return it;
}

/* One number of wire type `wire`, at *pos. */
static bool get_number(const uint8_t *p, int wire, size_t end, size_t *pos,
                       uint64_t *v)
{
  size_t n = wire == WIRE_32 ? 4 : 8;
  if (wire == WIRE_VARINT) return get_varint(p, end, pos, v);
  if (end - *pos < n) return false;
  *v = 0;
  for (size_t i = 0; i < n; i++) *v |= (uint64_t)p[*pos + i] << (8 * i);
  *pos += n;
  return true;
}

bool pb_next(PbIter *it, PbItem *x)
{
  uint64_t tag, len;
  for (;;) {
    if (it->pos < it->packed)
      return get_number(it->run->p, it->wire, it->packed, &it->pos, &x->u);
    while (it->run && (it->run->field != it->field || it->at >= it->run->to)) {
      it->run = it->run->next;
      if (it->run) it->at = it->run->from;
    }
    if (!it->run) return false;
    const uint8_t *p = it->run->p;
    if (it->run->bare) {
      x->s = (Str){(const char *)p + it->at, it->run->to - it->at};
      it->at = it->run->to;
      return true;
    }
    if (!get_varint(p, it->run->to, &it->at, &tag)) return false;
    if ((tag & 7) != WIRE_LEN)
      return get_number(p, it->wire, it->run->to, &it->at, &x->u);
    if (!get_varint(p, it->run->to, &it->at, &len) ||
        len > it->run->to - it->at)
      return false;
    x->s = (Str){(const char *)p + it->at, (size_t)len};
    it->pos = it->at;
    it->at += (size_t)len;
    if (it->wire == WIRE_LEN) return true;
    it->packed = it->at;
  }
}

bool pb_last(const Pb *pb, const void *msg, uint32_t field, Str *s)
{
  PbIter it = pb_iter(pb, msg, field);
  PbItem x;
  bool any = false;
  for (; pb_next(&it, &x); any = true) *s = x.s;
  return any;
}

bool pb_packed(const Pb *pb, const void *msg, uint32_t field, Str *s)
{
  PbIter it = pb_iter(pb, msg, field);
  const PbRun *run = it.run;
  PbItem x;
  if (!run || run->bare || !pb_next(&it, &x) || it.packed != run->to)
    return false;
  for (const PbRun *r = run->next; r; r = r->next)
    if (r->field == field) return false;
  size_t pos = run->from;
  uint64_t tag, len;
  if (!get_varint(run->p, run->to, &pos, &tag) ||
      !get_varint(run->p, run->to, &pos, &len) || pos + len != run->to)
    return false;
  *s = (Str){(const char *)run->p + pos, (size_t)len};
  return true;
}
