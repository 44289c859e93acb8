/* SPDX-License-Identifier: Apache-2.0 */
/* From the file to the Model: graphs, dims, tensors, attributes, functions. */
#include "pbwriter.h"
#include <sys/stat.h>
#include <unistd.h>

static Value *input(Model *m, int i) { return m->main->in[i]; }

static const char *dims_of(Model *m, int rank, const Dim *const *dim)
{
  const char *s = "";
  for (int k = 0; k < rank; k++)
    s = arena_printf(&m->arena, "%s%s%s", s, k ? "," : "",
                     dim[k] ? dim_text(&m->dims, dim[k]) : "?");
  return s;
}

static void test_basics(void)
{
  StrBuf m = {0}, g = {0}, n = {0}, meta = {0};
  w_value(&g, G_INPUT, "x", 1, "N,3,?,-1");
  w_value(&g, G_INPUT, "z", 7, "_,x_d3,N");
  w_value(&g, G_OUTPUT, "y", 1, "N,2*s0,7");
  w_value(&g, G_INFO, "h", 10, "N,5");
  w_node_start(&n, "Relu", "x", "h");
  w_str(&n, N_NAME, "first");
  w_msg(&g, G_NODE, &n);
  w_node_start(&n, "Foo", "h,,z", "y,");
  w_str(&n, N_DOMAIN, "my.ops");
  w_msg(&g, G_NODE, &n);
  w_str(&meta, 1, "key");
  w_str(&meta, 2, "value");
  w_msg(&m, M_META, &meta);
  w_opset(&m, M_OPSET, "my.ops", 3);
  Model *o = w_import_graph(&m, &g);
  CHECK(o->nerror == 0 && o->nwarning == 0);
  CHECK_STR(dims_of(o, input(o, 0)->rank, input(o, 0)->dim), "N,3,x_d2,x_d3u");
  CHECK_STR(dims_of(o, input(o, 1)->rank, input(o, 1)->dim), "z_d0,x_d3,N");
  CHECK(input(o, 0)->dtype == DT_F32 && input(o, 1)->dtype == DT_I64);
  CHECK(input(o, 0)->is_input && o->main->nin == 2 && o->main->nout == 1);
  Node *a = o->main->first, *b = a->next;
  CHECK(b == o->main->last && a->version == 17 && b->version == 3);
  CHECK_STR(a->op_type, "Relu");
  CHECK_STR(b->domain, "my.ops");
  CHECK(a->op == op_find("", "Relu") && !b->op);
  CHECK_STR(a->origin->name, "first");
  CHECK(b->origin->index == 1 && b->nin == 3 && !b->in[1] && b->nout == 2);
  CHECK(b->in[0] == a->out[0] && !b->out[1] && b->in[2] == input(o, 1));
  const Value *h = a->out[0], *y = b->out[0];
  CHECK(h->dtype == DT_NONE && h->rank == -1 && h->declared);
  CHECK(h->declared->dtype == DT_F16);
  CHECK_STR(dims_of(o, 2, h->declared->dim), "N,5");
  CHECK_STR(dims_of(o, 3, y->declared->dim), "N,?,7");
  CHECK(y->is_output && o->main->out[0] == y && y->def == b);
  CHECK(o->nmeta == 1 && !strcmp(o->meta[0].value, "value"));
  CHECK(o->ir_version == 10 && strlen(o->sha256) == 64);
  w_end(o, &m);
}

/* ONNX IR-3: initializers are inputs as well. */
static void test_initializers(void)
{
  StrBuf m = {0}, g = {0};
  float w[2] = {1, 2};
  w_ports(&g);
  w_value(&g, G_INPUT, "w", 1, "2");
  w_raw(&g, G_INIT, "w", 1, "2", (Str){(char *)w, sizeof w});
  w_node(&g, "Add", "x,w", "y");
  Model *o = w_import_graph(&m, &g);
  CHECK(o->nerror == 0 && o->main->nin == 1);
  const Value *v = o->main->first->in[1];
  CHECK(v->data && v->rank == 1 && dim_is(v->dim[0], 2) && !v->is_input);
  CHECK(((const float *)v->data->data)[1] == 2);
  w_end(o, &m);
}

/* --- Tensors -------------------------------------------------------------- */

/* Imports one TensorProto as initializer "w". */
static const Tensor *tensor_from(StrBuf *t, Model **o, StrBuf *m)
{
  StrBuf g = {0};
  w_ports(&g);
  w_str(t, T_NAME, "w");
  w_msg(&g, G_INIT, t);
  w_node(&g, "Foo", "x,w", "y");
  *o = w_import_graph(m, &g);
  CHECK((*o)->nerror == 0);
  diag_print(*o, stderr, SEV_ERROR);
  const Value *v = (*o)->main->first->in[1];
  return v ? v->data : NULL;
}

static void test_raw(void)
{
  static const char bytes[32] = {
    '\x81', 'B', '\x02', 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  for (int type = 1; type < DT_COUNT; type++) {
    if (type == DT_STR) continue;
    const DtypeInfo *info = dtype_info((Dtype)type);
    StrBuf t = {0}, m = {0};
    Model *o;
    w_int(&t, T_DIMS, 2);
    w_int(&t, T_TYPE, type);
    pb_put_bytes(&t, T_RAW, bytes, (size_t)(2 * info->bits + 7) / 8);
    const Tensor *x = tensor_from(&t, &o, &m);
    if (!CHECK(x && x->n == 2 && x->dtype == (Dtype)type)) continue;
    if (info->bits >= 8 && type != DT_BOOL)
      CHECK(!memcmp(x->data, bytes, (size_t)info->size * 2));
    const int8_t *v = x->data;
    if (type == DT_BOOL) CHECK(v[0] == 1 && v[1] == 1);
    if (type == DT_I4) CHECK(v[0] == 1 && v[1] == -8);
    if (type == DT_U4 || type == DT_F4E2M1) CHECK(v[0] == 1 && v[1] == 8);
    if (info->bits == 6) CHECK(v[0] == 1 && v[1] == 10);
    if (type == DT_I2) CHECK(v[0] == 1 && v[1] == 0);
    int align = info->cls == DC_COMPLEX ? info->size / 2 : info->size;
    CHECK((uintptr_t)x->data % (size_t)align == 0);
    w_end(o, &m);
  }
}

static void test_fields(void)
{
  static const struct { int type, field; int64_t in[3]; double out[3]; } c[] = {
    {DT_I64, T_INT64, {-1, 2, 3}, {-1, 2, 3}},
    {DT_U64, T_UINT64, {1, 2, 3}, {1, 2, 3}},
    {DT_U32, T_UINT64, {4294967295, 2, 3}, {4294967295.0, 2, 3}},
    {DT_I32, T_INT32, {-5, 2, 3}, {-5, 2, 3}},
    {DT_I8, T_INT32, {-5, 2, 255}, {-5, 2, -1}},
    {DT_U8, T_INT32, {5, 2, 255}, {5, 2, 255}},
    {DT_I16, T_INT32, {-5, 2, 3}, {-5, 2, 3}},
    {DT_U16, T_INT32, {65535, 2, 3}, {65535, 2, 3}},
    {DT_BOOL, T_INT32, {256, 0, 1}, {1, 0, 1}},
    {DT_F16, T_INT32, {0x3c00, 0xc000, 0}, {1, -2, 0}},
    {DT_BF16, T_INT32, {0x3f80, 0xc000, 0}, {1, -2, 0}},
    {DT_F8E4M3FN, T_INT32, {0x38, 0xc0, 0}, {1, -2, 0}},
    {DT_F8E5M2, T_INT32, {0x3c, 0xc0, 0}, {1, -2, 0}},
    {DT_I4, T_INT32, {0xf1, 0x07}, {1, -1, 7}},
    {DT_U4, T_INT32, {0xf1, 0x07}, {1, 15, 7}},
    {DT_I2, T_INT32, {0x1d}, {1, -1, 1}},
    {DT_U2, T_INT32, {0x1d}, {1, 3, 1}},
  };
  for (int i = 0; i < COUNT(c); i++) {
    int bits = dtype_info((Dtype)c[i].type)->bits;
    int n = bits == 4 ? 2 : bits == 2 ? 1 : 3;
    StrBuf t = {0}, m = {0};
    Model *o;
    w_int(&t, T_TYPE, c[i].type);
    w_int(&t, T_DIMS, 3);
    w_int(&t, T_DIMS, 1);
    for (int k = 0; k < n; k++) w_int(&t, (uint32_t)c[i].field, c[i].in[k]);
    const Tensor *x = tensor_from(&t, &o, &m);
    for (int k = 0; CHECK(x != NULL) && k < 3; k++)
      if (!CHECK(tensor_f64(x, k) == c[i].out[k]))
        fprintf(stderr, "type %d: %g\n", c[i].type, tensor_f64(x, k));
    w_end(o, &m);
  }
}

static void test_wide_fields(void)
{
  StrBuf t = {0}, m = {0};
  Model *o;
  double d[4] = {1.5, -2, 3, 4};
  float f[4] = {1.5f, -2, 3, 4};
  for (int type = DT_C64; type <= DT_C128; type++) {
    w_int(&t, T_TYPE, type);
    w_int(&t, T_DIMS, 2);
    if (type == DT_C64) {
      for (int k = 0; k < 4; k++) w_float(&t, T_FLOAT, f[k]);
    } else {
      pb_put_bytes(&t, T_DOUBLE, d, sizeof d);
    }
    const Tensor *x = tensor_from(&t, &o, &m);
    CHECK(x && x->n == 2);
    CHECK(x && !memcmp(x->data, type == DT_C64 ? (void *)f : (void *)d,
                       type == DT_C64 ? sizeof f : sizeof d));
    w_end(o, &m);
  }
  w_int(&t, T_TYPE, DT_STR);
  w_int(&t, T_DIMS, 2);
  pb_put_bytes(&t, T_STRING, "a\0b", 3);
  pb_put_bytes(&t, T_STRING, "", 0);
  const Tensor *x = tensor_from(&t, &o, &m);
  const Str *s = x ? x->data : NULL;
  CHECK(s && s[0].n == 3 && !memcmp(s[0].p, "a\0b", 3) && s[1].n == 0);
  w_end(o, &m);
}

/* Large tensors stay in the file, whatever their address. */
static void test_in_place(void)
{
  static float w[20000];
  for (int shift = 0; shift < 4; shift++) {
    StrBuf t = {0}, m = {0};
    Model *o;
    w[19999] = 7;
    w_int(&t, T_TYPE, DT_F32);
    w_int(&t, T_DIMS, 20000);
    w_str(&t, 12, &"xxxx"[shift]);
    pb_put_bytes(&t, T_RAW, w, sizeof w);
    const Tensor *x = tensor_from(&t, &o, &m);
    CHECK(x && (const char *)x->data > m.s &&
          (const char *)x->data < m.s + m.n);
    if (!x) continue;
    CHECK(tensor_f64(x, 19999) == 7);
    const float *p = tensor_aligned(o, x);
    CHECK((uintptr_t)p % 4 == 0 && p[19999] == 7 && p == x->data);
    CHECK(tensor_aligned(o, x) == p);
    w_end(o, &m);
  }
}

static void test_sparse(void)
{
  static const int64_t index[] = {1, 5, 0, 1, 1, 2};
  static const float value[] = {3, 4};
  for (int form = 1; form <= 2; form++) {
    StrBuf m = {0}, g = {0}, s = {0};
    Str i = {(const char *)(form == 1 ? index : index + 2),
             (size_t)form * 16};
    w_ports(&g);
    w_raw(&s, 1, "w", DT_F32, "2", (Str){(const char *)value, 8});
    w_raw(&s, 2, "", DT_I64, form == 1 ? "2" : "2,2", i);
    w_int(&s, 3, 2);
    w_int(&s, 3, 3);
    w_msg(&g, G_SPARSE, &s);
    w_node(&g, "Foo", "x,w", "y");
    Model *o = w_import_graph(&m, &g);
    const Tensor *t = o->main->first ? o->main->first->in[1]->data : NULL;
    static const double want[] = {0, 3, 0, 0, 0, 4};
    CHECK(o->nerror == 0 && t && t->rank == 2 && t->n == 6);
    for (int k = 0; t && k < 6; k++) CHECK(tensor_f64(t, k) == want[k]);
    w_end(o, &m);
  }
}

static void test_external(void)
{
  char dir[] = "/tmp/o2c_import_XXXXXX";
  StrBuf m = {0}, g = {0}, t = {0};
  if (!CHECK(mkdtemp(dir) != NULL)) return;
  const char *keys[] = {"location", "offset", "length"};
  const char *values[] = {"sub/w.bin", "4", "8"};
  w_ports(&g);
  w_int(&t, T_TYPE, DT_F32);
  w_int(&t, T_DIMS, 2);
  w_str(&t, T_NAME, "w");
  w_int(&t, T_LOCATION, 1);
  for (int i = 0; i < 3; i++) {
    StrBuf e = {0};
    w_str(&e, 1, keys[i]);
    w_str(&e, 2, values[i]);
    w_msg(&t, T_EXTERNAL, &e);
  }
  w_msg(&g, G_INIT, &t);
  w_node(&g, "Add", "x,w", "y");
  w_model(&m, &g);
  StrBuf path = {0};
  sb_printf(&path, "%s/sub", dir);
  mkdir(path.s, 0700);
  sb_puts(&path, "/w.bin");
  FILE *f = fopen(path.s, "wb");
  float data[3] = {9, 1, 2};
  CHECK(f && fwrite(data, 4, 3, f) == 3 && !fclose(f));
  StrBuf model = {0};
  sb_printf(&model, "%s/net.onnx", dir);
  f = fopen(model.s, "wb");
  CHECK(f && fwrite(m.s, 1, m.n, f) == m.n && !fclose(f));
  Model *o = import_file(NULL, model.s);
  diag_print(o, stderr, SEV_NOTE);
  const Tensor *w = o->main->first ? o->main->first->in[1]->data : NULL;
  CHECK(o->nerror == 0 && w && tensor_f64(w, 0) == 1 && tensor_f64(w, 1) == 2);
  w_end(o, &m);
  remove(path.s);
  remove(model.s);
  path.s[path.n - 6] = 0;
  rmdir(path.s);
  rmdir(dir);
  sb_free(&path);
  sb_free(&model);
}

static void test_tensor_files(void)
{
  char path[] = "/tmp/o2c_tensor_XXXXXX";
  int fd = mkstemp(path);
  if (!CHECK(fd >= 0)) return;
  close(fd);
  static const int64_t dim[] = {3, 1};
  static const Str str[] = {{"a", 1}, {"", 0}, {"b\0c", 3}};
  for (int type = 1; type < DT_COUNT; type++) {
    Model *m = model_new(NULL, "");
    Tensor *t = tensor_new(&m->arena, (Dtype)type, 2, dim);
    size_t size = (size_t)t->n * (size_t)dtype_info((Dtype)type)->size;
    uint8_t *p = arena_alloc(&m->arena, size);
    for (size_t i = 0; i < size; i++) p[i] = (uint8_t)(i & 1);
    t->data = type == DT_STR ? (const void *)str : p;
    t->name = "out";
    CHECK(export_tensor_file(path, t));
    const Tensor *x = import_tensor_file(m, path);
    if (CHECK(x && x->dtype == t->dtype && x->rank == 2 && x->n == 3)) {
      CHECK_STR(x->name, "out");
      if (type == DT_STR)
        CHECK(((const Str *)x->data)[2].n == 3 &&
              !memcmp(((const Str *)x->data)[2].p, "b\0c", 3));
      else
        CHECK(!memcmp(x->data, p, size));
    }
    model_free(m);
  }
  Model *m = model_new(NULL, "");
  StrBuf seq = {0}, one = {0};
  w_int(&seq, 2, 1);
  w_raw(&one, 3, "a", DT_F32, "2", (Str){"12345678", 8});
  sb_write(&seq, one.s, one.n);
  FILE *f = fopen(path, "wb");
  CHECK(f && fwrite(seq.s, 1, seq.n, f) == seq.n && !fclose(f));
  CHECK(!import_tensor_file(m, path) && w_diag(m, "no TensorProto"));
  sb_free(&seq);
  sb_free(&one);
  model_free(m);
  remove(path);
  m = model_new(NULL, "");
  CHECK(!import_tensor_file(m, path) && w_diag(m, "cannot be read"));
  CHECK(!export_tensor_file("/nonexistent/x", &(Tensor){.dtype = DT_F32}));
  model_free(m);
}

/* --- Attributes and types ------------------------------------------------- */

static void put_attr(StrBuf *n, const char *name, int type, StrBuf *a)
{
  w_str(a, A_NAME, name);
  if (type) w_int(a, A_TYPE, type);
  w_msg(n, N_ATTR, a);
}

/* With the types, and without: IR version 1 had none. */
static void test_attrs(void)
{
  for (int typed = 0; typed < 2; typed++) {
    StrBuf m = {0}, g = {0}, n = {0}, a = {0};
    w_ports(&g);
    w_node_start(&n, "Foo", "x", "y");
    w_float(&a, A_F, 1.5f);
    put_attr(&n, "f", typed * 1, &a);
    w_int(&a, A_I, -7);
    put_attr(&n, "i", typed * 2, &a);
    w_str(&a, A_S, "text");
    put_attr(&n, "s", typed * 3, &a);
    w_raw(&a, A_T, "", DT_F32, "", (Str){"\0\0\x80\x3f", 4});
    put_attr(&n, "t", typed * 4, &a);
    w_float(&a, A_FLOATS, 2);
    w_float(&a, A_FLOATS, 3);
    put_attr(&n, "floats", typed * 6, &a);
    pb_put_bytes(&a, A_INTS, "\x01\x02\x03", 3);
    put_attr(&n, "ints", typed * 7, &a);
    w_str(&a, A_STRINGS, "u");
    w_str(&a, A_STRINGS, "vw");
    put_attr(&n, "strings", typed * 8, &a);
    w_type(&a, A_TP, DT_F16, "2,3");
    put_attr(&n, "type", typed * 13, &a);
    w_msg(&g, G_NODE, &n);
    Model *o = w_import_graph(&m, &g);
    diag_print(o, stderr, SEV_NOTE);
    Node *x = o->main->first;
    if (!CHECK(o->nerror == 0 && x && x->nattr == 8)) continue;
    int c = 0;
    CHECK(attr_float(x, "f", 0) == 1.5f && attr_int(x, "i", 0) == -7);
    CHECK_STR(attr_str(x, "s", ""), "text");
    CHECK(tensor_f64(attr_get(x, "t")->t, 0) == 1);
    CHECK(attr_ints(x, "ints", &c)[2] == 3 && c == 3);
    CHECK(attr_get(x, "floats")->n == 2 &&
          attr_get(x, "floats")->floats[1] == 3);
    CHECK_STR(attr_get(x, "strings")->strs[1].p, "vw");
    CHECK(attr_get(x, "type")->type_proto->dtype == DT_F16 &&
          attr_get(x, "type")->type_proto->rank == 2);
    w_end(o, &m);
  }
}

/* optional(sequence(tensor)), map, sequence: fields of TypeProto. */
static void test_kinds(void)
{
  static const uint32_t wrap[][2] = {{4, 0}, {9, 0}, {9, 4}};
  static const ValueKind want[] = {VK_SEQ, VK_OPTIONAL, VK_OPTIONAL, VK_MAP};
  StrBuf m = {0}, g = {0};
  w_ports(&g);
  for (int i = 0; i < 4; i++) {
    StrBuf v = {0}, t = {0}, in = {0}, inner = {0};
    w_type(&in, 1, DT_F32, "N,2");
    if (i == 3) {
      w_int(&t, 1, DT_I64);
      w_type(&t, 2, DT_F32, "");
      w_msg(&inner, 5, &t);
      sb_free(&in);
    } else {
      if (wrap[i][1]) {
        w_msg(&inner, wrap[i][1], &in);
        w_msg(&in, 1, &inner);
      }
      w_msg(&inner, wrap[i][0], &in);
    }
    w_str(&v, 1, (const char *[]){"a", "b", "c", "d"}[i]);
    w_msg(&v, 2, &inner);
    w_msg(&g, G_INPUT, &v);
  }
  w_node(&g, "Foo", "x,a,b,c,d", "y");
  Model *o = w_import_graph(&m, &g);
  diag_print(o, stderr, SEV_NOTE);
  CHECK(o->nerror == 0 && o->main->nin == 5);
  for (int i = 0; i < 4; i++) CHECK(input(o, i + 1)->kind == want[i]);
  CHECK(input(o, 2)->rank == 2 && input(o, 2)->dtype == DT_F32);
  CHECK(input(o, 3)->declared->elem->kind == VK_SEQ);
  CHECK(input(o, 4)->declared->dtype == DT_I64 &&
        input(o, 4)->declared->elem->dtype == DT_F32);
  w_end(o, &m);
}

/* --- Graphs --------------------------------------------------------------- */

/* A body that gives out a value of the graph around it gets an Identity. */
static void test_bodies(void)
{
  StrBuf m = {0}, g = {0}, n = {0}, body = {0};
  w_ports(&g);
  w_value(&g, G_INPUT, "c", 9, "");
  w_value(&body, G_OUTPUT, "h", 1, NULL);
  w_value(&body, G_OUTPUT, "x", 1, NULL);
  w_node(&body, "Relu", "outer", "h");
  w_node_start(&n, "If", "c", "y,z");
  w_attr_graph(&n, "then_branch", &body);
  w_value(&body, G_OUTPUT, "k", 1, NULL);
  w_value(&body, G_OUTPUT, "k", 1, NULL);
  w_node(&body, "Neg", "x", "outer");
  w_node(&body, "Neg", "outer", "k");
  w_attr_graph(&n, "else_branch", &body);
  w_msg(&g, G_NODE, &n);
  w_node(&g, "Abs", "x", "outer"); /* after its reader */
  Model *o = w_import_graph(&m, &g);
  CHECK(o->nerror == 0 && o->nwarning == 2);
  CHECK(w_diag(o, "'outer' in a nested graph hides") != NULL);
  CHECK(w_diag(o, "not in topological order") != NULL);
  Node *abs = o->main->first, *cond = abs->next;
  CHECK_STR(abs->op_type, "Abs");
  const Graph *t = attr_get(cond, "then_branch")->g;
  const Graph *e = attr_get(cond, "else_branch")->g;
  CHECK(t->outer == o->main && t->nout == 2 && t->first->in[0] == abs->out[0]);
  CHECK_STR(t->last->op_type, "Identity");
  CHECK(t->out[1] == t->last->out[0] && t->last->in[0] == input(o, 0));
  CHECK(t->out[1]->g == t && t->last->version == 17);
  CHECK(e->first->out[0] != abs->out[0] && e->last->in[0] == e->first->out[0]);
  CHECK(e->out[0] == e->out[1]);
  w_end(o, &m);
}

static void test_sorting(void)
{
  StrBuf m = {0}, g = {0};
  w_ports(&g);
  w_node(&g, "Add", "c,b", "y");
  w_node(&g, "Neg", "b", "c");
  w_node(&g, "Abs", "x", "b");
  w_node(&g, "Abs", "x", "free");
  Model *o = w_import_graph(&m, &g);
  const char *want[] = {"Abs", "Neg", "Add", "Abs"};
  const Node *n = o->main->first;
  CHECK(o->nerror == 0 && o->nwarning == 1);
  for (int i = 0; CHECK(n != NULL) && i < 4; i++, n = n->next) {
    CHECK_STR(n->op_type, want[i]);
    CHECK((n->next ? n->next->prev : o->main->last) == n);
    if (i == 3) break;
  }
  w_end(o, &m);
}

/* --- Functions ------------------------------------------------------------ */

static void put_call(StrBuf *g, uint32_t field, const char *op, const char *in,
                     const char *out)
{
  StrBuf n = {0};
  w_node_start(&n, op, in, out);
  w_str(&n, N_DOMAIN, "f");
  w_msg(g, field, &n);
}

static void start_function(StrBuf *f, const char *name, const char *in,
                           const char *out)
{
  w_str(f, F_NAME, name);
  w_str(f, F_DOMAIN, "f");
  w_names(f, F_IN, in);
  w_names(f, F_OUT, out);
  w_opset(f, F_OPSET, "", 13);
  w_opset(f, F_OPSET, "f", 1);
}

static void put_ref(StrBuf *n, const char *name, const char *ref, int type)
{
  StrBuf a = {0};
  w_str(&a, A_REF, ref);
  put_attr(n, name, type, &a);
}

/* inner(a, b?) = Foo(a, b; k=@k, d=@d, none=@none), outer = inner(Neg(.)). */
static void test_functions(void)
{
  StrBuf m = {0}, g = {0}, f = {0}, n = {0}, a = {0};
  start_function(&f, "inner", "a,b", "r,a");
  w_node_start(&n, "Foo", "a,b", "t");
  put_ref(&n, "k", "k", 2);
  put_ref(&n, "d", "d", 2);
  put_ref(&n, "none", "absent", 2);
  w_msg(&f, F_NODE, &n);
  w_node_start(&n, "Relu", "t", "r");
  w_str(&n, N_NAME, "last");
  w_msg(&f, F_NODE, &n);
  w_str(&a, A_NAME, "d");
  w_int(&a, A_I, 5);
  w_int(&a, A_TYPE, 2);
  w_msg(&f, F_DEFAULT, &a);
  w_msg(&m, M_FUNCTION, &f);
  start_function(&f, "outer", "x", "y,copy");
  w_node_start(&n, "inner", "n", "y,copy");
  w_str(&n, N_DOMAIN, "f");
  w_str(&n, N_NAME, "in");
  put_ref(&n, "k", "q", 2);
  w_msg(&f, F_NODE, &n);
  w_node_at(&f, F_NODE, "Neg", "x", "n"); /* unsorted, too */
  w_msg(&m, M_FUNCTION, &f);
  w_ports(&g);
  w_node_start(&n, "outer", "x", "y,z");
  w_str(&n, N_DOMAIN, "f");
  w_str(&n, N_NAME, "call");
  w_attr_int(&n, "q", 9);
  w_msg(&g, G_NODE, &n);
  w_opset(&m, M_OPSET, "f", 1);
  Model *o = w_import_graph(&m, &g);
  diag_print(o, stderr, SEV_ERROR);
  CHECK(o->nerror == 0);
  const char *want[] = {"Neg", "Foo", "Relu", "Identity"};
  Node *at[4] = {NULL}, *p = o->main->first;
  for (int i = 0; i < 4 && CHECK(p != NULL); i++, p = p->next) {
    CHECK_STR(p->op_type, want[i]);
    at[i] = p;
  }
  if (!at[3]) return;
  CHECK(!p && at[1]->version == 13 && attr_int(at[1], "k", 0) == 9);
  CHECK(attr_int(at[1], "d", 0) == 5 && !attr_get(at[1], "none"));
  CHECK(at[1]->in[0] == at[0]->out[0] && !at[1]->in[1]);
  CHECK(at[2]->out[0] == o->main->out[0]);
  CHECK_STR(at[2]->out[0]->name, "y");
  CHECK_STR(at[0]->out[0]->name, "call/n");
  CHECK_STR(at[1]->out[0]->name, "call/in/t");
  CHECK_STR(at[2]->origin->name, "call/in/last");
  CHECK(at[2]->origin->index == 0 && at[3]->in[0] == at[0]->out[0]);
  w_end(o, &m);
}

/* An attribute of the call that is a graph: it sees the call's names. */
static void test_function_graphs(void)
{
  StrBuf m = {0}, g = {0}, f = {0}, n = {0}, body = {0};
  start_function(&f, "cond", "c", "y");
  w_node_start(&n, "If", "c", "y");
  put_ref(&n, "then_branch", "body", 5);
  put_ref(&n, "else_branch", "body", 5);
  w_msg(&f, F_NODE, &n);
  w_msg(&m, M_FUNCTION, &f);
  w_ports(&g);
  w_value(&g, G_INPUT, "c", 9, "");
  w_value(&body, G_OUTPUT, "h", 1, NULL);
  w_node(&body, "Neg", "x", "h");
  w_node_start(&n, "cond", "c", "y");
  w_str(&n, N_DOMAIN, "f");
  w_attr_graph(&n, "body", &body);
  w_msg(&g, G_NODE, &n);
  Model *o = w_import_graph(&m, &g);
  diag_print(o, stderr, SEV_NOTE);
  Node *i = o->main->first;
  if (CHECK(o->nerror == 0 && i && i->nattr == 2)) {
    CHECK(i->attr[0].g != i->attr[1].g && i->attr[0].g->outer == o->main);
    CHECK(i->attr[1].g->first->in[0] == input(o, 0));
  }
  w_end(o, &m);
}

static void test_function_errors(void)
{
  StrBuf m = {0}, g = {0}, f = {0};
  start_function(&f, "rec", "x", "y");
  put_call(&f, F_NODE, "rec", "x", "y");
  w_msg(&m, M_FUNCTION, &f);
  w_ports(&g);
  put_call(&g, G_NODE, "rec", "x", "y");
  Model *o = w_import_graph(&m, &g);
  CHECK(w_diag(o, "calls itself") && diag_worst(o) == EXIT_MODEL);
  w_end(o, &m);
  /* f0 calls f1 twice, f1 calls f2 twice, ..: 2^24 nodes. */
  for (int i = 0; i < 25; i++) {
    char name[8], next[8];
    snprintf(name, sizeof name, "f%d", i);
    snprintf(next, sizeof next, "f%d", i + 1);
    start_function(&f, name, "x", "y");
    put_call(&f, F_NODE, next, "x", "t");
    put_call(&f, F_NODE, next, "t", "y");
    w_msg(&m, M_FUNCTION, &f);
  }
  w_ports(&g);
  put_call(&g, G_NODE, "f0", "x", "y");
  o = w_import_graph(&m, &g);
  CHECK(w_diag(o, "more than 1000000 nodes") != NULL);
  CHECK(diag_worst(o) == EXIT_MODEL || diag_worst(o) == EXIT_UNSUPPORTED);
  w_end(o, &m);
  /* Two overloads, one name. */
  for (int i = 0; i < 2; i++) {
    start_function(&f, "g", "x", "y");
    w_str(&f, F_OVERLOAD, i ? "two" : "");
    w_node_at(&f, F_NODE, i ? "Neg" : "Abs", "x", "y");
    w_msg(&m, M_FUNCTION, &f);
  }
  StrBuf n = {0};
  w_ports(&g);
  w_node_start(&n, "g", "x", "y");
  w_str(&n, N_DOMAIN, "f");
  w_str(&n, N_OVERLOAD, "two");
  w_msg(&g, G_NODE, &n);
  o = w_import_graph(&m, &g);
  CHECK(o->nerror == 0 && !strcmp(o->main->first->op_type, "Neg"));
  w_end(o, &m);
}

int main(void)
{
  test_basics();
  test_initializers();
  test_raw();
  test_fields();
  test_wide_fields();
  test_in_place();
  test_sparse();
  test_external();
  test_tensor_files();
  test_attrs();
  test_kinds();
  test_bodies();
  test_sorting();
  test_functions();
  test_function_graphs();
  test_function_errors();
  return test_end();
}
