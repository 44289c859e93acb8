/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged and hostile files: each ends in a diagnostic that says what and
 * where, with the right exit code; none crashes, hangs or reads elsewhere.
 * This is worth most under ASan and UBSan. */
#include "pbwriter.h"
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  const char *name;             /* for messages */
  ExitCode code;
  const char *text[3];          /* of one diagnostic: what, where, remedy */
} Want;

static void expect(StrBuf *b, const Want *w)
{
  Model *m = w_import(b);
  bool found = w->code == EXIT_OK && !m->nerror;
  for (const Diag *d = m->diags; d; d = d->next) {
    bool all = true;
    for (int i = 0; i < 3; i++)
      if (w->text[i] && !strstr(d->text, w->text[i])) all = false;
    if (all && w->text[0]) found = true;
  }
  if (!CHECK(found && diag_worst(m) == w->code)) {
    printf("  case %s: exit %d\n", w->name, diag_worst(m));
    diag_print(m, stdout, SEV_NOTE);
  }
  w_end(m, b);
}

static void expect_graph(StrBuf *g, const Want *w)
{
  StrBuf m = {0};
  w_model(&m, g);
  expect(&m, w);
}

/* Every prefix: none is a good model, and each says so. */
static void test_prefixes(void)
{
  StrBuf m = {0};
  w_rich_model(&m);
  Model *o = w_import(&m);
  CHECK(o->nerror == 0);
  model_free(o);
  for (size_t n = 0; n < m.n; n++) {
    char *copy = malloc(n ? n : 1); /* of that size, for ASan */
    if (!CHECK(copy != NULL)) break;
    memcpy(copy, m.s, n);
    o = import_memory(NULL, "net.onnx", copy, n);
    CHECK(o->nerror > 0 && diag_worst(o) == EXIT_MODEL);
    model_free(o);
    free(copy);
  }
  sb_free(&m);
}

static uint32_t next_random(uint32_t *s)
{
  *s ^= *s << 13;
  *s ^= *s >> 17;
  return *s ^= *s << 5;
}

/* Flipped bits, overwritten and removed bytes: anything but a crash. */
static void test_flips(void)
{
  StrBuf m = {0};
  uint32_t seed = 20240229;
  int refused = 0;
  w_rich_model(&m);
  for (int round = 0; round < 6000; round++) {
    size_t n = m.n;
    char *copy = malloc(n);
    if (!CHECK(copy != NULL)) break;
    memcpy(copy, m.s, n);
    for (unsigned k = next_random(&seed) % 3 + 1; k; k--) {
      size_t at = next_random(&seed) % n;
      unsigned how = next_random(&seed);
      if (how % 4 == 0) memmove(copy + at, copy + at + 1, --n - at);
      else if (how % 4 == 1) copy[at] = (char)(how >> 8);
      else copy[at] = (char)(copy[at] ^ 1 << (how >> 8) % 8);
    }
    Model *o = import_memory(NULL, "net.onnx", copy, n);
    ExitCode c = diag_worst(o);
    CHECK((c == EXIT_OK) == (o->nerror == 0));
    CHECK(c == EXIT_OK || c == EXIT_MODEL || c == EXIT_UNSUPPORTED);
    refused += c != EXIT_OK;
    model_free(o);
    free(copy);
  }
  CHECK(refused > 3000);
  sb_free(&m);
}

/* Graph in attribute in node in graph, 20,000 times. Built from the inside by
 * lengths, since nesting buffers would copy them as often. */
static void test_nested_graphs(void)
{
  enum { LEVELS = 20000 };
  static size_t size[LEVELS + 1][3];
  StrBuf b = {0}, m = {0};
  for (int i = LEVELS; i >= 0; i--) {
    size_t inner = i == LEVELS ? 0 : size[i + 1][2];
    for (int k = 0; k < 3; k++) {
      size_t len = 1;
      for (size_t v = inner; v >= 0x80; v >>= 7) len++;
      inner = size[i][k] = inner + len + 1;
    }
  }
  for (int i = 0; i <= LEVELS; i++) {
    size_t inside = i == LEVELS ? 0 : size[i + 1][2];
    pb_put_varint(&b, G_NODE << 3 | 2);
    pb_put_varint(&b, size[i][1]);
    pb_put_varint(&b, N_ATTR << 3 | 2);
    pb_put_varint(&b, size[i][0]);
    pb_put_varint(&b, A_G << 3 | 2);
    pb_put_varint(&b, inside);
  }
  w_model(&m, &b);
  expect(&m, &(Want){"nested graphs", EXIT_MODEL,
                     {"nest more than 100 deep", "byte "}});
}

static void put_tensor(StrBuf *g, int type, const char *dims, size_t bytes)
{
  static const char zeros[64];
  w_ports(g);
  w_raw(g, G_INIT, "w", type, dims, (Str){zeros, bytes});
  w_node(g, "Add", "x,w", "y");
}

static void test_tensors(void)
{
  static const struct { int type; const char *dims; size_t bytes; Want w; }
  c[] = {
    {1, "2,3", 20, {"short", EXIT_MODEL, {"initializer 'w'",
      "[2,3] of float needs 24 bytes, but has 20", "damaged"}}},
    {1, "2", 0, {"empty", EXIT_MODEL, {"'w' [2] of float has no data"}}},
    {1, "-2", 8, {"negative", EXIT_MODEL, {"'w' has dimension 0 of -2"}}},
    {1, "4294967296,4294967296,4294967296", 8,
     {"overflow", EXIT_MODEL, {"'w' has more elements than 64 bits count"}}},
    {1, "9223372036854775807,0", 0, {"zero", EXIT_OK, {NULL}}},
    {1, "1,1,1,1,1,1,1,1,1,1,1,1,1", 4,
     {"rank", EXIT_UNSUPPORTED, {"'w' has 13 dimensions; 12 is the most"}}},
    {99, "1", 1, {"type", EXIT_MODEL, {"element type 99", "damaged or newer"}}},
    {0, "1", 1, {"no type", EXIT_MODEL, {"has no element type"}}},
    {8, "1", 1, {"raw string", EXIT_MODEL, {"strings as raw data",
                                            "string_data"}}},
    {22, "3", 3, {"int4", EXIT_MODEL, {"[3] of int4 needs 2 bytes"}}},
  };
  for (int i = 0; i < COUNT(c); i++) {
    StrBuf g = {0};
    put_tensor(&g, c[i].type, c[i].dims, c[i].bytes);
    expect_graph(&g, &c[i].w);
  }
  StrBuf g = {0}, s = {0};
  int64_t index = 7;
  w_ports(&g);
  w_raw(&s, 1, "w", 1, "1", (Str){"1234", 4});
  w_raw(&s, 2, "", 7, "1", (Str){(char *)&index, 8});
  w_int(&s, 3, 3);
  w_msg(&g, G_SPARSE, &s);
  w_node(&g, "Add", "x,w", "y");
  expect_graph(&g, &(Want){"sparse", EXIT_MODEL, {"sparse index 0 outside"}});
}

static void test_inputs(void)
{
  static const struct { int type; const char *dims; Want w; } c[] = {
    {1, "-7", {"negative", EXIT_MODEL,
      {"graph input 'z' has dimension 0 of -7", "write a name"}}},
    {1, "9223372036854775807,N,9223372036854775807",
     {"overflow", EXIT_MODEL, {"'z' has more elements than 64 bits"}}},
    {1, NULL, {"no shape", EXIT_MODEL, {"'z' has no shape", "write one"}}},
    {0, "2", {"no element", EXIT_MODEL, {"'z' has no element type"}}},
    {-1, "", {"no type", EXIT_MODEL, {"'z' has no type", "write one"}}},
    {1, "1,2,3,4,5,6,7,8,9,10,11,12,13",
     {"rank", EXIT_UNSUPPORTED, {"'z' has 13 dimensions"}}},
  };
  for (int i = 0; i < COUNT(c); i++) {
    StrBuf g = {0};
    w_value(&g, G_INPUT, "z", c[i].type, c[i].dims);
    w_ports(&g);
    w_node(&g, "Relu", "x", "y");
    expect_graph(&g, &c[i].w);
  }
}

static void test_graphs(void)
{
  StrBuf g = {0}, m = {0}, n = {0};
  w_ports(&g);
  w_node(&g, "Add", "x,c", "a");
  w_node(&g, "Neg", "a", "b");
  w_node(&g, "Abs", "b", "c");
  w_node(&g, "Relu", "a", "y");
  expect_graph(&g, &(Want){"cycle", EXIT_MODEL, {"in a circle of 3",
    "node 0 (Add), node 1 (Neg), node 2 (Abs)", "break it"}});
  w_ports(&g);
  w_node(&g, "Add", "x,y", "y");
  expect_graph(&g, &(Want){"self", EXIT_MODEL, {"node 0 (Add-17)",
                                                "circle of 1"}});
  w_ports(&g);
  w_node(&g, "Relu", "foo", "y");
  expect_graph(&g, &(Want){"missing", EXIT_MODEL, {"node 0 (Relu-17)",
    "reads 'foo', which nothing makes", "check the names"}});
  w_ports(&g);
  w_node(&g, "Relu", "x", "y");
  w_node(&g, "Neg", "x", "y");
  expect_graph(&g, &(Want){"twice", EXIT_MODEL, {"node 1 (Neg-17)",
    "makes 'y', which is made already", "rename one"}});
  w_ports(&g);
  w_node(&g, "Relu", "y", "x");
  expect_graph(&g, &(Want){"input made", EXIT_MODEL, {"makes 'x'"}});
  w_ports(&g);
  w_value(&g, G_INPUT, "x", 1, "2");
  w_node(&g, "Relu", "x", "y");
  expect_graph(&g, &(Want){"inputs", EXIT_MODEL, {"two graph inputs", "'x'"}});
  w_ports(&g);
  w_value(&g, G_OUTPUT, "y", 1, "2");
  w_node(&g, "Relu", "x", "y");
  expect_graph(&g, &(Want){"outputs", EXIT_MODEL, {"two graph outputs"}});
  w_value(&g, G_INPUT, "x", 1, "2");
  w_node(&g, "Relu", "x", "y");
  expect_graph(&g, &(Want){"no output", EXIT_MODEL, {"has no outputs"}});
  w_ports(&g);
  expect_graph(&g, &(Want){"no nodes", EXIT_MODEL,
                           {"graph output 'y' is made by no node"}});
  w_ports(&g);
  w_node(&g, "", "x", "y");
  expect_graph(&g, &(Want){"no op", EXIT_MODEL, {"has no op_type"}});
  w_ports(&g);
  w_node_start(&n, "Relu", "x", "y");
  w_str(&n, N_DOMAIN, "some.where");
  w_msg(&g, G_NODE, &n);
  expect_graph(&g, &(Want){"domain", EXIT_MODEL, {"domain 'some.where'",
    "node 0 (Relu)", "add it to opset_import"}});
  w_ports(&g);
  w_node_start(&n, "Relu", "x", "y");
  w_attr_int(&n, "a", 1);
  w_attr_int(&n, "a", 2);
  w_msg(&g, G_NODE, &n);
  expect_graph(&g, &(Want){"attribute", EXIT_MODEL, {"attribute 'a' stands "
                                                     "there twice"}});
  w_int(&m, M_IR, 8);
  w_opset(&m, M_OPSET, "", 17);
  expect(&m, &(Want){"no graph", EXIT_MODEL, {"there is no graph in it"}});
  w_int(&m, M_IR, 8);
  w_ports(&g);
  w_msg(&m, M_GRAPH, &g);
  expect(&m, &(Want){"no opset", EXIT_MODEL, {"opset_import is empty"}});
}

static void test_not_models(void)
{
  static const struct { const char *text; Want w; } c[] = {
    {"", {"empty", EXIT_MODEL, {"the file is empty"}}},
    {"version https://git-lfs.github.com/spec/v1\n",
     {"lfs", EXIT_MODEL, {"git lfs pull"}}},
    {"PK\3\4zip", {"zip", EXIT_MODEL, {"ZIP archive", "export"}}},
    {"<html><body>404", {"html", EXIT_MODEL, {"a web page"}}},
    {"hello, world, this is text",
     {"text", EXIT_MODEL, {"byte 2", "not ONNX"}}},
  };
  for (int i = 0; i < COUNT(c); i++) {
    StrBuf b = {0};
    sb_puts(&b, c[i].text);
    expect(&b, &c[i].w);
  }
  Model *m = import_file(NULL, "/nonexistent/net.onnx");
  CHECK(w_diag(m, "cannot be read") && diag_worst(m) == EXIT_USAGE);
  model_free(m);
  m = import_file(NULL, "/");
  CHECK(w_diag(m, "it is a folder") && diag_worst(m) == EXIT_USAGE);
  model_free(m);
}

/* Names are data: they survive, and messages quote them on one line. */
static void test_names(void)
{
  static const char *const names[] = {
    "*/ int x; /*", "\"quote\"", "'; --", "a\nb\r", "int", "while", "\\",
    "m4_syscmd(`x')", "%s%n", "\xe2\x80\xae", "T", "<% %>", "../../etc", " "};
  for (int i = 0; i < COUNT(names); i++) {
    StrBuf g = {0}, m = {0};
    w_value(&g, G_INPUT, names[i], 1, "2");
    w_value(&g, G_OUTPUT, "out", 1, "2");
    StrBuf n = {0};
    pb_put_bytes(&n, N_IN, names[i], strlen(names[i]));
    w_names(&n, N_IN, "missing");
    w_names(&n, N_OUT, "out");
    w_str(&n, N_OP, names[i]);
    w_str(&n, N_NAME, names[i]);
    w_msg(&g, G_NODE, &n);
    Model *o = w_import_graph(&m, &g);
    CHECK_STR(o->main->in[0]->name, names[i]);
    CHECK_STR(o->main->first->op_type, names[i]);
    const Diag *d = w_diag(o, "reads 'missing'");
    CHECK(d && !strpbrk(d->text, "\n\r") && !strstr(d->text, "\xe2\x80\xae"));
    w_end(o, &m);
  }
}

/* A tensor whose data is said to stand at `location`. */
static Model *external(const char *model, const char *location,
                       const char *offset, const char *length)
{
  StrBuf m = {0}, g = {0}, t = {0};
  const char *key[] = {"location", "offset", "length"};
  const char *value[] = {location, offset, length};
  w_ports(&g);
  w_int(&t, T_TYPE, DT_F32);
  w_int(&t, T_DIMS, 2);
  w_str(&t, T_NAME, "w");
  w_int(&t, T_LOCATION, 1);
  for (int i = 0; i < 3; i++) {
    StrBuf e = {0};
    if (!value[i]) continue;
    w_str(&e, 1, key[i]);
    w_str(&e, 2, value[i]);
    w_msg(&t, T_EXTERNAL, &e);
  }
  w_msg(&g, G_INIT, &t);
  w_node(&g, "Add", "x,w", "y");
  w_model(&m, &g);
  FILE *f = fopen(model, "wb");
  CHECK(f && fwrite(m.s, 1, m.n, f) == m.n && !fclose(f));
  sb_free(&m);
  return import_file(NULL, model);
}

static void write_file(const char *path, const char *text)
{
  FILE *f = fopen(path, "wb");
  CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

static void test_external(void)
{
  static const struct { const char *location, *offset, *length, *text; } c[] = {
    {"w.bin", "0", "8", NULL},
    {"./w.bin", "0", "8", NULL},
    {"/etc/passwd", "0", "8", "which is absolute"},
    {"../secret", "0", "8", "which leaves the folder"},
    {"a/../../secret", "0", "8", "which leaves the folder"},
    {"..\\secret", "0", "8", "which leaves the folder"},
    {"C:secret", "0", "8", "which is absolute"},
    {"link", "0", "8", "leaves the folder through a symbolic link"},
    {"up/secret", "0", "8", "leaves the folder through a symbolic link"},
    {"fifo", "0", "8", "not a regular file"},
    {"gone.bin", "0", "8", "is not there; put that file beside the model"},
    {"", "0", "8", "is empty"},
    {".", "0", "8", "which "},
    {"w.bin", "4", "8", "8 bytes from 4 of 'w.bin', which ends at 8"},
    {"w.bin", "0", "4", "needs 8 bytes, but has 4"},
    {"w.bin", "18446744073709551615", "8", "no size"},
    {"w.bin", "18446744073709551600", "32", "which ends at 8"},
    {"w.bin", "1844674407370955160", "8", "which ends at 8"},
    {"w.bin", "-1", "8", "no size"},
    {"w.bin", "x", "8", "no size"},
    {NULL, "0", "8", "without a location"},
  };
  char dir[] = "/tmp/o2c_bad_XXXXXX";
  if (!CHECK(mkdtemp(dir) != NULL) || !CHECK(!chdir(dir))) return;
  CHECK(!mkdir("sub", 0700));
  write_file("sub/w.bin", "12345678");
  write_file("secret", "87654321");
  CHECK(!symlink("../secret", "sub/link") && !symlink("..", "sub/up"));
  CHECK(!mkfifo("sub/fifo", 0600));
  for (int i = 0; i < COUNT(c); i++) {
    Model *m = external("sub/net.onnx", c[i].location, c[i].offset,
                        c[i].length);
    bool ok = !m->nerror;
    if (c[i].text)
      ok = w_diag(m, c[i].text) && w_diag(m, "initializer 'w'") &&
           diag_worst(m) == EXIT_MODEL;
    if (!CHECK(ok)) {
      printf("  location %s:\n", c[i].location);
      diag_print(m, stdout, SEV_NOTE);
    }
    model_free(m);
  }
  static const char *const files[] = {"sub/w.bin", "sub/link", "sub/up",
    "sub/fifo", "sub/net.onnx", "sub", "secret"};
  for (int i = 0; i < COUNT(files); i++) CHECK(!remove(files[i]));
  CHECK(!chdir("/") && !rmdir(dir));
}

int main(void)
{
  clock_t start = clock();
  test_prefixes();
  test_flips();
  test_nested_graphs();
  test_tensors();
  test_inputs();
  test_graphs();
  test_not_models();
  test_names();
  test_external();
  CHECK(clock() - start < 60 * CLOCKS_PER_SEC);
  return test_end();
}
