/* SPDX-License-Identifier: Apache-2.0 */
/* The wire walker: what it keeps in the file, what it refuses, and where. */
#include "pbwriter.h"

typedef struct { Model *m; Arena tmp; Pb pb; } Read;

static const void *read_as(Read *r, const StrBuf *b,
                           const ProtobufCMessageDescriptor *d)
{
  memset(r, 0, sizeof *r);
  r->m = model_new(NULL, "t.onnx");
  r->m->arena.panic = &r->m->panic;
  r->pb = (Pb){.m = r->m, .tmp = &r->tmp, .p = (const uint8_t *)b->s,
               .n = b->n};
  return pb_read(&r->pb, d);
}

static void read_end(Read *r, StrBuf *b)
{
  arena_free(&r->tmp);
  w_end(r->m, b);
}

static bool refused(StrBuf *b, const ProtobufCMessageDescriptor *d,
                    const char *text)
{
  Read r;
  bool ok = !read_as(&r, b, d) && w_diag(r.m, text) &&
            diag_worst(r.m) == EXIT_MODEL;
  if (!ok) diag_print(r.m, stderr, SEV_NOTE);
  read_end(&r, b);
  return ok;
}

static void test_payloads(void)
{
  static char big[1 << 20];
  StrBuf t = {0};
  big[5] = 7;
  w_int(&t, T_DIMS, 3);
  w_int(&t, T_TYPE, 2);
  pb_put_bytes(&t, T_RAW, big, sizeof big);
  w_int(&t, T_DIMS, 4);
  w_str(&t, 12, "a doc string");
  w_str(&t, T_NAME, "w");
  w_str(&t, 99, "unknown");
  w_int(&t, 19999, 0); /* the walker's own mark: an unknown one here */
  Read r;
  const Onnx__TensorProto *p = read_as(&r, &t, &onnx__tensor_proto__descriptor);
  CHECK(p != NULL);
  CHECK_STR(p->name, "w");
  CHECK(p->data_type == 2 && !p->raw_data.len && !p->n_dims);
  CHECK(p->base.n_unknown_fields == 1);
  CHECK(r.tmp.used < 32 << 10);
  Str s = {NULL, 0};
  CHECK(pb_last(&r.pb, p, T_RAW, &s) && s.n == sizeof big && s.p[5] == 7);
  CHECK(s.p > t.s && s.p < t.s + t.n);
  PbIter it = pb_iter(&r.pb, p, T_DIMS);
  PbItem x;
  CHECK(pb_count(&r.pb, p, T_DIMS) == 2);
  CHECK(pb_next(&it, &x) && x.u == 3 && pb_next(&it, &x) && x.u == 4);
  CHECK(!pb_next(&it, &x));
  CHECK(pb_count(&r.pb, p, 99) == 1 && pb_count(&r.pb, p, 5) == 0);
  read_end(&r, &t);
}

/* One list as single records and packed ones, other fields in between. */
static void test_lists(void)
{
  StrBuf t = {0}, packed = {0};
  float f[3] = {1.5f, -2.5f, 4};
  w_float(&t, T_FLOAT, 8);
  w_int(&t, T_TYPE, 1);
  pb_put_bytes(&t, T_FLOAT, f, sizeof f);
  pb_put_varint(&packed, 300);
  pb_put_varint(&packed, (uint64_t)-1);
  w_msg(&t, T_INT64, &packed);
  w_int(&t, T_INT64, 5);
  Read r;
  const void *p = read_as(&r, &t, &onnx__tensor_proto__descriptor);
  PbItem x;
  PbIter it = pb_iter(&r.pb, p, T_FLOAT);
  static const float want[] = {8, 1.5f, -2.5f, 4};
  CHECK(pb_count(&r.pb, p, T_FLOAT) == 4);
  for (int i = 0; i < 4; i++) {
    float got = 0;
    CHECK(pb_next(&it, &x));
    uint32_t bits = (uint32_t)x.u;
    memcpy(&got, &bits, 4);
    CHECK(got == want[i]);
  }
  it = pb_iter(&r.pb, p, T_INT64);
  CHECK(pb_count(&r.pb, p, T_INT64) == 3);
  CHECK(pb_next(&it, &x) && x.u == 300);
  CHECK(pb_next(&it, &x) && (int64_t)x.u == -1);
  CHECK(pb_next(&it, &x) && x.u == 5 && !pb_next(&it, &x));
  Str s;
  CHECK(!pb_packed(&r.pb, p, T_FLOAT, &s) && !pb_packed(&r.pb, p, T_INT64, &s));
  read_end(&r, &t);
  pb_put_bytes(&t, T_FLOAT, f, sizeof f);
  p = read_as(&r, &t, &onnx__tensor_proto__descriptor);
  CHECK(pb_packed(&r.pb, p, T_FLOAT, &s) && s.n == 12 &&
        !memcmp(s.p, f, sizeof f));
  read_end(&r, &t);
}

/* Payloads belong to their message, however deep. */
static void test_nesting(void)
{
  StrBuf m = {0}, g = {0}, n = {0};
  w_node_start(&n, "Foo", "x", "y");
  for (int i = 0; i < 3; i++) {
    StrBuf a = {0}, t = {0};
    w_int(&a, A_INTS, i);
    w_int(&t, T_DIMS, 10 + i);
    w_msg(&a, A_T, &t);
    w_int(&a, A_INTS, 100 + i);
    w_msg(&n, N_ATTR, &a);
  }
  w_msg(&g, G_NODE, &n);
  w_msg(&m, M_GRAPH, &g);
  Read r;
  const Onnx__ModelProto *mp = read_as(&r, &m, &onnx__model_proto__descriptor);
  for (uint64_t i = 0; CHECK(mp != NULL) && i < 3; i++) {
    const Onnx__AttributeProto *a = mp->graph->node[0]->attribute[i];
    PbItem x;
    PbIter it = pb_iter(&r.pb, a, A_INTS);
    CHECK(pb_next(&it, &x) && x.u == i);
    CHECK(pb_next(&it, &x) && x.u == 100 + i && !pb_next(&it, &x));
    it = pb_iter(&r.pb, a->t, T_DIMS);
    CHECK(pb_next(&it, &x) && x.u == 10 + i && !pb_next(&it, &x));
  }
  read_end(&r, &m);
}

static void test_names(void)
{
  StrBuf m = {0};
  pb_put_bytes(&m, 2, "a\0b", 3);
  pb_put_bytes(&m, 3, "\xff\xc3\xa9*/\n\"", 7);
  pb_put_bytes(&m, 4, "\xed\xa0\x80", 3); /* a surrogate */
  Read r;
  const Onnx__ModelProto *p = read_as(&r, &m, &onnx__model_proto__descriptor);
  CHECK(p != NULL);
  CHECK_STR(p->producer_name, "a\\x00b");
  CHECK_STR(p->producer_version, "\\xff\xc3\xa9*/\n\"");
  CHECK_STR(p->domain, "\\xed\\xa0\\x80");
  CHECK(r.m->nwarning == 1 && r.m->nerror == 0);
  CHECK(w_diag(r.m, "byte 2 (ModelProto.producer_name)") != NULL);
  read_end(&r, &m);
}

static void test_refused(void)
{
  const ProtobufCMessageDescriptor *mp = &onnx__model_proto__descriptor;
  const ProtobufCMessageDescriptor *tp = &onnx__tensor_proto__descriptor;
  static const struct { const char *bytes; size_t n; const char *text; } c[] = {
    {"\x3a\x05\x0a", 3, "byte 0 (ModelProto): 5 bytes announced, 1 are left"},
    {"\x3a\x03\x0a\x05z", 5, "byte 2 (ModelProto.graph): 5 bytes announced"},
    {"\x08\x80\x80", 3, "byte 0 (ModelProto): a number does not end"},
    {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, "does not end"},
    {"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "announced"},
    {"\x00", 1, "no field can start here"},
    {"\x80\x80\x80\x80\x80\x80\x80\x80\x01", 9, "no field can start here"},
    {"\x0b\x0c", 2, "no known wire type"},
    {"\x0a\x01z", 3, "byte 0 (ModelProto.ir_version): a value of another type"},
    {"\x38\x01", 2, "byte 0 (ModelProto.graph): a value of another type"},
    {"\x3a\x00\x3a\x00", 4, "byte 2 (ModelProto.graph): this message stands "
     "here twice"},
    {"\x09z", 2, "8 bytes announced, 1 are left"},
  };
  for (int i = 0; i < COUNT(c); i++) {
    StrBuf b = {0};
    sb_write(&b, c[i].bytes, c[i].n);
    if (!CHECK(refused(&b, mp, c[i].text))) fprintf(stderr, "case %d\n", i);
  }
  StrBuf b = {0};
  pb_put_bytes(&b, T_FLOAT, "12345", 5);
  CHECK(refused(&b, tp, "(TensorProto.float_data): a packed list is ragged"));
  pb_put_bytes(&b, T_INT64, "\x01\x80", 2);
  CHECK(refused(&b, tp, "(TensorProto.int64_data): a packed list is ragged"));
}

/* Lengths and tags may be written longer than they need be. */
static void test_padded(void)
{
  StrBuf b = {0};
  Read r;
  sb_write(&b, "\x92\x80\x00\x82\x80\x80\x80\x80\x00hi\x08\x87\x80\x80\x00",
           16);
  const Onnx__ModelProto *p = read_as(&r, &b, &onnx__model_proto__descriptor);
  CHECK(p != NULL && p->ir_version == 7);
  CHECK_STR(p ? p->producer_name : NULL, "hi");
  read_end(&r, &b);
}

static void test_depth(void)
{
  for (int deep = 99; deep <= 20000; deep += deep == 99 ? 1 : 19900) {
    StrBuf b = {0};
    /* A sequence of a sequence of .. is two messages a level. */
    for (int i = 0; i < deep; i++) {
      StrBuf outer = {0};
      w_msg(&outer, i % 2 ? 4 : 1, &b);
      b = outer;
    }
    const ProtobufCMessageDescriptor *d = deep % 2
      ? &onnx__type_proto__sequence__descriptor
      : &onnx__type_proto__descriptor;
    Read r;
    const void *p = read_as(&r, &b, d);
    CHECK((deep == 99) == (p != NULL));
    if (!p) CHECK(w_diag(r.m, "messages nest more than 100 deep") != NULL);
    read_end(&r, &b);
  }
}

int main(void)
{
  test_payloads();
  test_lists();
  test_nesting();
  test_names();
  test_refused();
  test_padded();
  test_depth();
  return test_end();
}
