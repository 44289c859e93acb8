/* SPDX-License-Identifier: Apache-2.0 */
/* The intermediate representation, and every prototype of compiler/, by file.
 *
 * A Model owns one Arena, one pool of dimensions, its diagnostics and a main
 * Graph. A Graph is a doubly linked list of Nodes in topological order; Nodes
 * read and write Values. All of it lives in the arena and is never freed
 * singly. Errors of the user's input become diagnostics (diag.c); a stage that
 * recorded an error ends the run. Bugs and out-of-memory leave through
 * model_panic, a longjmp to the edge of the API. There are no mutable globals.
 */
#ifndef O2C_IR_H
#define O2C_IR_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Arena Arena;
typedef struct Attr Attr;
typedef struct Dim Dim;
typedef struct DimPool DimPool;
typedef struct Graph Graph;
typedef struct Lower Lower;
typedef struct Model Model;
typedef struct Node Node;
typedef struct OpDef OpDef;
typedef struct Options Options;
typedef struct Tensor Tensor;
typedef struct Value Value;

#if defined __GNUC__
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#else
#define PRINTF(fmt, args)
#define NORETURN
#endif
#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define MAX_RANK 12 /* of a tensor; a larger one is refused by import */
#define MAX_VALUE_DEPTH 8 /* sequences and optional values in one another */

/* Exit codes of the command, and of a run of the library. */
typedef enum {
  EXIT_OK = 0, EXIT_USAGE = 1, EXIT_MODEL = 2, EXIT_UNSUPPORTED = 3,
  EXIT_VERIFY = 4, EXIT_ENVIRONMENT = 5
} ExitCode;

/* arena.c: memory of one model; out of memory goes to the panic jump. */
struct Arena {
  struct ArenaBlock *head;
  size_t used;       /* bytes handed out, for tests and reports */
  jmp_buf *panic;    /* where allocation failure goes */
};
void *arena_alloc(Arena *a, size_t size); /* zeroed, aligned to 16 */
void arena_free(Arena *a);
char *arena_strn(Arena *a, const char *s, size_t n);
char *arena_str(Arena *a, const char *s);
char *arena_printf(Arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(Arena *a, const char *fmt, va_list ap) PRINTF(2, 0);
#define NEW(a, T, n) ((T *)arena_array(a, sizeof(T), (size_t)(n)))
void *arena_array(Arena *a, size_t size, size_t n);
/* The (moved) array of `n` items, grown by one. `items` may be NULL. */
void *arena_grow(Arena *a, void *items, int n, size_t size);

/* The texts of templates/ and runtime_min/ (made by templates/embed.cmake), as
 * "templates/c/pool.m4"; NUL-terminated; NULL: none of that name. */
const char *embedded_file(const char *name, size_t *n);
const char *embedded_name(int i); /* NULL after the last one */

/* strbuf.c: a growing string on the heap (outputs reach many megabytes). */
typedef struct { char *s; size_t n, cap; Arena *a; } StrBuf;
void sb_init(StrBuf *b, Arena *a);
void sb_free(StrBuf *b);
void sb_write(StrBuf *b, const void *s, size_t n);
void sb_puts(StrBuf *b, const char *s);
void sb_printf(StrBuf *b, const char *fmt, ...) PRINTF(2, 3);
void sb_vprintf(StrBuf *b, const char *fmt, va_list ap) PRINTF(2, 0);
void sb_json(StrBuf *b, const char *s); /* a JSON string, with its quotes */
void sb_float(StrBuf *b, double v, bool f32); /* shortest round trip, C text */

/* hash.c: an interning map from byte strings to pointers. Keys are copied.
 * slot[0..n) stand in order of insertion. map_at's result is good until the
 * next insertion. */
struct MapSlot {
  const char *key;
  size_t len;
  uint64_t hash;
  void *value;
  int head, next; /* 1 + index of a slot: chain of this bucket, of this key */
};
typedef struct { Arena *a; struct MapSlot *slot; int n, cap; } Map;
void map_init(Map *m, Arena *a);
void **map_at(Map *m, const char *key, size_t len); /* inserts NULL if new */
void *map_get(const Map *m, const char *key, size_t len);
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
typedef struct { /* sha256.c: at once, or by pieces */
  uint32_t h[8];
  unsigned char part[64];
  size_t n;
  uint64_t total;
  void (*block)(uint32_t *h, const unsigned char *p);
} Sha256;
void sha256_hex(const void *p, size_t n, char out[65]);
void sha256_init(Sha256 *x);
void sha256_add(Sha256 *x, const void *p, size_t n);
void sha256_end(Sha256 *x, char out[65]);

/* dtype.c: element types, numbered as TensorProto.DataType is. */
typedef enum {
  DT_NONE = 0, DT_F32 = 1, DT_U8 = 2, DT_I8 = 3, DT_U16 = 4, DT_I16 = 5,
  DT_I32 = 6, DT_I64 = 7, DT_STR = 8, DT_BOOL = 9, DT_F16 = 10, DT_F64 = 11,
  DT_U32 = 12, DT_U64 = 13, DT_C64 = 14, DT_C128 = 15, DT_BF16 = 16,
  DT_F8E4M3FN = 17, DT_F8E4M3FNUZ = 18, DT_F8E5M2 = 19, DT_F8E5M2FNUZ = 20,
  DT_U4 = 21, DT_I4 = 22, DT_F4E2M1 = 23, DT_F8E8M0 = 24, DT_U2 = 25,
  DT_I2 = 26, DT_F6E2M3 = 27, DT_F6E3M2 = 28, DT_COUNT
} Dtype;
typedef uint32_t TypeSet; /* bit k: Dtype k */
#define DT_BIT(t) ((TypeSet)1 << (t))
typedef enum { DC_NONE, DC_FLOAT, DC_INT, DC_UINT, DC_BOOL, DC_STR, DC_COMPLEX }
  DtypeClass;
typedef struct {
  const char *name;  /* "f32": suffix of kernels, word of signatures */
  const char *onnx;  /* "float": as ONNX writes it */
  const char *c;     /* "float": the C type across the ABI */
  int size;          /* bytes of one element, unpacked (4-bit types: 1) */
  int bits;          /* bits of one element in TensorProto.raw_data */
  DtypeClass cls;
} DtypeInfo;
const DtypeInfo *dtype_info(Dtype t);
Dtype dtype_by_name(const char *name, size_t n); /* DT_NONE: no such name */
Dtype dtype_carrier(Dtype t); /* U8 U16 U32 U64, by size; STR; C128 */
/* Words: names of types and of sets: float int uint num all8 ...; dtype.c. */
TypeSet typeset_parse(const char *words, size_t n);

/* dim.c: dimensions are polynomials over symbols, hash-consed: equal
 * dimensions are the same pointer. A symbol is a run-time argument, or is
 * defined by others (floor division, minimum, maximum), or a CAPACITY: a size
 * that a node finds in its data at run time; see infer_sizes. */
typedef enum { SYM_ARG, SYM_DIV, SYM_MIN, SYM_MAX, SYM_CAPACITY } SymKind;
typedef struct {
  SymKind kind;
  const char *name;      /* as the model writes it, or made */
  const char *c_name;    /* field of the generated dims struct */
  const Dim *a, *b;      /* operands of DIV, MIN, MAX */
  int64_t max;           /* upper bound; 0: none known */
  int64_t lo, hi;        /* bounds from the definition */
  int size;              /* symbols, when written out in full */
  bool made;             /* ARG: the model gives no name */
  const Dim *bound;      /* CAPACITY: the most it can be; NULL: not known */
  bool total;            /* CAPACITY: of all trips of loops together */
  bool field;            /* CAPACITY: the caller gives room; others: `bound` */
} Sym;
typedef struct { int sym; const Dim *by; } Merge;
typedef struct { const int *sym; int n; const Dim *most; } Joint;
typedef struct { const Dim *a, *b; } Equal;
typedef struct {
  int64_t k;             /* coefficient, not 0 */
  int n;                 /* degree */
  const int *s;          /* symbols, ascending, repeated */
} Term;
struct Dim {             /* a sum of terms; made and read by dim*.c only */
  int id, n;             /* n: of terms */
  int size;              /* symbols written out in full */
  bool bad;
  Term t[];
};
struct DimPool {
  Model *m;
  Map map;
  Sym *sym;
  int nsym, ndim;
  int trying;            /* > 0: overflow is no error of the model */
  const Dim *bad;
  bool told;             /* that a dimension is absurd */
  Merge *merge;          /* found by the node in work; see unify.c */
  int nmerge;
  Joint *joint;          /* bounds of products; see dims_joint */
  int njoint;
  Equal *equal;          /* what a run's dimensions must satisfy; unify.c */
  int nequal;
};
#define DIM_INFINITE ((int64_t)1 << 28) /* constants above: "to the end" */
void dims_init(DimPool *p, Model *m);
const Dim *dim_int(DimPool *p, int64_t v);
const Dim *dim_sym(DimPool *p, int sym);
/* The SYM_ARG of this name, or the constant that --dim gives to it. */
const Dim *dim_named(DimPool *p, const char *name);
const Dim *dim_unnamed(DimPool *p, const char *made_name); /* a new one */
bool dims_known(const DimPool *p, const char *name); /* asked for by name */
/* A new symbol, of which no other call knows; ARG or CAPACITY. */
const Dim *dim_new(DimPool *p, SymKind kind, const char *name);
const Dim *dim_add(DimPool *p, const Dim *a, const Dim *b);
const Dim *dim_sub(DimPool *p, const Dim *a, const Dim *b);
const Dim *dim_mul(DimPool *p, const Dim *a, const Dim *b);
const Dim *dim_div(DimPool *p, const Dim *a, const Dim *b); /* floor */
const Dim *dim_ceil_div(DimPool *p, const Dim *a, const Dim *b); /* b > 0 */
const Dim *dim_mod(DimPool *p, const Dim *a, const Dim *b); /* sign of b */
const Dim *dim_min(DimPool *p, const Dim *a, const Dim *b);
const Dim *dim_max(DimPool *p, const Dim *a, const Dim *b);
const Dim *dim_prod(DimPool *p, const Dim *const *d, int n);
/* NULL where `a` is no exact multiple of `b`. */
const Dim *dim_div_exact(DimPool *p, const Dim *a, const Dim *b);
int64_t dim_content(const Dim *d); /* what divides all its coefficients */
const Dim *dim_subst(DimPool *p, const Dim *d, int sym, const Dim *by);
bool dim_is_int(const Dim *d, int64_t *v);
bool dim_is(const Dim *d, int64_t v);
bool dim_has(const DimPool *p, const Dim *d, int sym); /* also through DIV.. */
int dim_symbol(const Dim *d); /* the symbol that it is, or -1 */
bool dim_bad(const Dim *d); /* overflowed: already diagnosed */
bool dim_nonneg(const DimPool *p, const Dim *d); /* proven */
bool dim_has_capacity(const DimPool *p, const Dim *d); /* also through DIV.. */
/* What storage of size `d` needs: no less than `d` for any sizes that the data
 * may show, in ARGs and capacities that are fields. */
const Dim *dim_upper(DimPool *p, const Dim *d);
/* INT64_MIN: overflow, or division by zero. sym: a value for each ARG. */
int64_t dim_eval(const DimPool *p, const Dim *d, const int64_t *sym);
/* dim_print.c */
/* C text, in parentheses unless one word. `pre` comes before a symbol's
 * c_name ("d->"), and ")" after it where `pre` ends in "(". Symbols that are
 * defined by others are written out, so the text is a constant expression. */
void dim_print(StrBuf *b, const DimPool *p, const Dim *d, const char *pre);
const char *dim_text(DimPool *p, const Dim *d); /* for people: "N*3" */

/* unify.c: one dimension for two that must be equal; NULL: they can't become
 * one. `proven`: the operator demands it; else only unnamed ones merge. */
const Dim *dims_unify(DimPool *p, const Dim *a, const Dim *b, bool proven);
void dims_settle(DimPool *p); /* rewrites the model; after a node's infer */
/* Capacities that two equal nodes found: the second's become the first's. */
void dims_same(DimPool *p, const Dim *const *found, const Dim *const *as,
               int n);

/* names.c: names of a model as C identifiers (not unique). */
bool c_valid(const char *s);    /* has the form of an identifier */
bool c_reserved(const char *s); /* a word of C, C++, headers or templates */
char *c_identifier(Arena *a, const char *text, const char *prefix);

/* diag.c */
typedef enum { SEV_NOTE, SEV_WARNING, SEV_ERROR } Severity;
typedef struct Diag {
  struct Diag *next;
  Severity sev;
  ExitCode code;     /* of an error: what the command exits with */
  const char *text;  /* one line: "net.onnx: node 12 'x' (Conv-11): .." */
} Diag;
void diag_model(Model *m, Severity s, ExitCode c, const char *fmt, ...)
  PRINTF(4, 5);
/* Adds model, node index, name, operator and version as the file has them.
 * An error marks the outputs of `n` as known to be bad: what reads them is
 * silent. EXIT_MODEL for what the spec forbids, EXIT_UNSUPPORTED for what
 * onnx2c does not do (yet). The message states the remedy. */
void diag(Node *n, Severity s, ExitCode c, const char *fmt, ...) PRINTF(4, 5);
#define fail_model(n, ...) diag(n, SEV_ERROR, EXIT_MODEL, __VA_ARGS__)
#define fail_unsupported(n, ...) \
  diag(n, SEV_ERROR, EXIT_UNSUPPORTED, __VA_ARGS__)
ExitCode diag_worst(const Model *m);
void diag_print(const Model *m, FILE *f, Severity least);
NORETURN void model_panic(Model *m, const char *fmt, ...) PRINTF(2, 3);
/* Length of a well-formed UTF-8 sequence at s, 0 if it is none. */
size_t utf8_size(const unsigned char *s);
/* Quotes hostile text for messages: control characters, long names. */
const char *quote(Arena *a, const char *s);

/* Tensors, values, attributes, nodes, graphs. */
typedef struct { const char *p; size_t n; } Str; /* element of DT_STR */
typedef enum { VK_TENSOR, VK_SEQ, VK_MAP, VK_OPTIONAL, VK_SPARSE } ValueKind;
struct Tensor {
  Dtype dtype;
  int rank;
  int64_t dim[MAX_RANK];
  int64_t n;             /* elements */
  /* Unpacked elements; DT_STR: Str, not NUL-terminated. Large ones stand in
   * the mapped file, maybe misaligned: see tensor_aligned. */
  const void *data;
  const struct Packing *packing; /* of codegen/target.h: then no data */
  const char *name;
  /* Test data only: of another kind it is no tensor, but holds n items; a map
   * two, the tensors of its keys and of its values */
  ValueKind kind;
  const Tensor **item;
};
typedef struct Type { /* as the file writes it */
  ValueKind kind;
  Dtype dtype;           /* of elements; of the keys of a map */
  int rank;              /* -1: not written */
  const Dim **dim;       /* NULL: not written, or no symbol of an input */
  const struct Type *elem; /* of a sequence, map (values) or optional */
} Type;
/* What a sequence or optional value holds: n items, or, where only the run
 * tells how many (n is -1), the elements of all and a row for each: its rank,
 * its sizes, and ones up to MAX_RANK. See sequence_open.c. */
typedef struct {
  Value **item;
  int n;
  Value *flat, *rows;    /* [elements], int64 [items, 1 + MAX_RANK] */
  Dtype dtype;           /* DT_NONE: not known, while there is no item */
  int rank;              /* of every item; -1: not known */
  const Dim *dim[MAX_RANK]; /* numbers that all items share; NULL: others */
  bool none;             /* there is no item: nothing is said of them */
  Value *has;            /* of an optional value: bool [], is there one? */
  bool tensor;           /* .. which is one item, or else a sequence */
  Value *zip;            /* of maps with the same keys: a row of values each; */
  const Tensor *keys;    /* see zipmap.c */
} List;
struct Value {
  const char *name;      /* as in the model, UTF-8, hostile; "" never */
  int id;                /* unique in the model, in order of creation */
  ValueKind kind;
  Dtype dtype;           /* DT_NONE: not known (yet) */
  int rank;              /* -1: not known (yet) */
  const Dim **dim;
  const Tensor *data;    /* content of a constant, else NULL */
  const Dim **sym;       /* content of a small integer tensor, else NULL */
  const Type *declared;  /* by the file; a claim to check. NULL: none */
  const List *list;      /* what a sequence or optional value holds, where
                            that is known: sequence.c. NULL: it is not */
  Node *def;             /* NULL: graph input or constant */
  const struct Same *same; /* the value of the file that it is: same.c */
  Node **use;            /* one entry per use: a node may stand here twice */
  int nuse;
  bool is_input, is_output, bad;
  bool inferred;         /* dtype and dim come from infer_out */
  bool file;             /* the name is one of the file */
  Graph *g;
  Value *became;         /* what took its place; a body's: its first copy */
};
typedef enum {
  AT_NONE, AT_INT, AT_FLOAT, AT_STR, AT_TENSOR, AT_GRAPH, AT_INTS, AT_FLOATS,
  AT_STRS, AT_TYPE, AT_OTHER
} AttrType;
struct Attr {
  const char *name;
  AttrType type;
  int64_t i;
  float f;
  Str s;
  const Tensor *t;
  Graph *g;
  int n;                 /* of the lists */
  const int64_t *ints;
  const float *floats;
  const Str *strs;
  const Type *type_proto; /* AT_TYPE */
};
typedef struct Origin { /* one node of the file that this node came from */
  const struct Origin *next;
  int index, id;         /* in its graph; among all that import made, from 1 */
  const char *name, *op; /* name may be "" */
  int version;
} Origin;
struct Node {
  Graph *g;
  Node *prev, *next;
  const char *op_type, *domain, *name, *stays; /* why no GPU runs it */
  int version;           /* as imported; upgrade.c raises it to the newest */
  const OpDef *op;       /* NULL: unknown operator */
  Value **in, **out;     /* an omitted optional one is NULL */
  int nin, nout, nattr;
  Attr *attr;
  const Origin *origin;
  void *fused;           /* what a fusing pass attached; see passes */
  const Dim **size;      /* nsize ones that the run finds; infer_sizes */
  int nsize;
  bool bad, any_type, device; /* an error; types beyond its row's; on a GPU */
  Dtype half;            /* the model rounds its f32 results: passes/widen.c */
};
struct Graph {
  Model *m;
  Graph *outer;          /* of a body of If, Loop, Scan */
  const char *name;
  Node *first, *last;
  Value **in, **out;
  const char **in_name, **out_name; /* as callers know them */
  int nin, nout;
  struct Zip *zip;       /* outputs that are maps with constant keys */
  int nzip;
};
typedef struct { const char *domain; int version; } Opset;
typedef struct { const char *key, *value; } Meta;
struct Model {
  Arena arena;
  jmp_buf panic;
  const char *panic_text;
  const Options *opt;
  const char *path, *file;       /* as given; last component */
  DimPool dims;
  Diag *diags, *diag_last;
  int nerror, nwarning;
  int64_t ir_version;
  Opset *opset; int nopset;
  Meta *meta;
  int nmeta;
  Graph *main;
  int nvalue, nfile, norigin;    /* ids handed out; to values of the file */
  Arena *work; int *file_out;    /* of eval.c (or NULL); ids of outputs */
  char sha256[65];
  const void *map; size_t map_size;     /* the mmapped file */
  void *import;                  /* private to import.c */
  const struct FileGraph *drawn; /* file_graph.c; NULL: not asked for */
  const struct Custom *custom;   /* operators of the user; custom.h */
  struct Rebatch *rebatch;       /* --make-batch: make_batch.h; else NULL */
  /* Sees the values of each node that inference has done; NULL: none. */
  void (*watch)(void *watcher, const Value *v);
  void *watcher;
};
/* graph.c */
/* NULL: no memory. Until MODEL_EDGE, running out of memory aborts. */
Model *model_new(const Options *opt, const char *path);
/* An edge of the API: 0 at first, not 0 after a panic of `m`. Good until the
 * calling function returns; the next edge arms its own. */
#define MODEL_EDGE(m) ((m)->arena.panic = &(m)->panic, setjmp((m)->panic))
void model_free(Model *m);
Graph *graph_new(Model *m, Graph *outer, const char *name);
/* In order; the port is called as the value is now, and stays so. */
void graph_add_input(Graph *g, Value *v);
void graph_add_output(Graph *g, Value *v);
Value *value_new(Graph *g, const char *name, Dtype t, int rank,
                 const Dim *const *dim);
Value *value_tmp(Graph *g, const char *hint, const Value *like); /* same type */
Value *value_const(Graph *g, const char *hint, const Tensor *t);
Value *value_const_ints(Graph *g, const char *hint, const int64_t *v, int n);
Value *value_const_scalar(Graph *g, const char *hint, Dtype t, double v);
void value_set_shape(Value *v, int rank, const Dim *const *dim);
const Dim *value_numel(const Value *v); /* product of the dims */
bool value_static(const Value *v);      /* every dim is a constant */
bool value_same_shape(const Value *a, const Value *b);
/* A node before `at` (NULL: at the end), origin copied from `from`. */
Node *node_new(Graph *g, Node *at, const char *op_type, int nin, int nout,
               const Node *from);
/* The usual case: inputs given, outputs made, inferred; returns output 0. */
Value *node_op(Node *at, const char *op_type, int nin, ...);
Value *node_cast(Node *at, Value *x, Dtype t); /* x itself, if it is one */
void node_remove(Node *n); /* unlinks; its inputs lose the uses */
void node_move_before(Node *n, Node *at);
void node_set_input(Node *n, int i, Value *v); /* grows the list if needed */
void node_set_output(Node *n, int i, Value *v);
void node_drop_inputs(Node *n, int from);
void value_replace(Value *old, Value *by); /* all uses, and graph outputs */
Value *node_in(const Node *n, int i);   /* NULL: omitted or absent */
Value *node_out(const Node *n, int i);
bool node_is(const Node *n, const char *op_type);          /* of ai.onnx */
bool node_is_internal(const Node *n, const char *op_type); /* of o2c */
Node *value_only_user(const Value *v); /* NULL: none, several, or an output */

/* attr.c */
const Attr *attr_get(const Node *n, const char *name);
int64_t attr_int(const Node *n, const char *name, int64_t dflt);
float attr_float(const Node *n, const char *name, float dflt);
const char *attr_str(const Node *n, const char *name, const char *dflt);
const int64_t *attr_ints(const Node *n, const char *name, int *count);
void attr_set_int(Node *n, const char *name, int64_t v);
void attr_set_float(Node *n, const char *name, float v);
void attr_set_str(Node *n, const char *name, const char *v);
void attr_set_ints(Node *n, const char *name, const int64_t *v, int count);
void attr_set_tensor(Node *n, const char *name, const Tensor *t);
void attr_set_graph(Node *n, const char *name, Graph *g);
void attr_remove(Node *n, const char *name);
int axis_norm(Node *n, int64_t axis, int rank); /* -1 after a diagnostic */

/* tensor.c */
Tensor *tensor_new(Arena *a, Dtype t, int rank, const int64_t *dim);
/* Element i as a number; any numeric type. */
double tensor_f64(const Tensor *t, int64_t i);
int64_t tensor_i64(const Tensor *t, int64_t i);
void tensor_set_f64(Tensor *t, int64_t i, double v);
void tensor_set_i64(Tensor *t, int64_t i, int64_t v);
int64_t tensor_bits(const Tensor *t); /* of element 0, at most 8 bytes */

/* import.c (pb.c below it): the file becomes a Model, faithfully. */
/* Graph inputs have type and shape; other values only what is declared. The
 * nodes of functions are inlined. An initializer that is also an input is a
 * constant. Errors stand in the diagnostics: see diag_worst. */
Model *import_file(const Options *opt, const char *path); /* never NULL */
Model *import_memory(const Options *opt, const char *path, const void *p,
                     size_t n); /* p must outlive the model */
void import_free(Model *m); /* unmaps the files; for model_free */
/* t->data, aligned for its type: a copy the first time, where it was not.
 * Everything up to 64 KB, and what tensor_new made, is aligned anyway. */
const void *tensor_aligned(Model *m, const Tensor *t);
/* Test data: a TensorProto file. Errors go to `m`. */
const Tensor *import_tensor_file(Model *m, const char *path);
bool export_tensor_file(const char *path, const Tensor *t);

/* Operators: one record each, in ops/<family>.c, listed in ops.def.
 *
 * A row states a version. `sig` names inputs and outputs with the letter of
 * their type: "X:T W:T B:T? -> Y:T"; `?` may be absent, `...` any number,
 * `*` (after `->` too) untyped tensor; `types`: "T=f16 f32 f64; I=i32 i64";
 * `attrs`: "axis:i group:i pads:I auto_pad:s value:t" (i f s t g I F S).
 * A NULL text is that of the row before. `upgrade` brings a node of this
 * version to the next row's form, and is NULL where nothing changes. */
typedef struct {
  int since;
  const char *sig, *types, *attrs;
  void (*upgrade)(Node *n);
} OpRow;
typedef enum {
  OP_ELEMENTWISE = 1, /* output element i needs elements i, broadcast */
  OP_MOVES = 2,       /* output elements are input elements (or constants) */
  OP_RANDOM = 4,      /* never folded or shared */
  OP_INTERNAL = 8,    /* made by passes; not accepted from a file */
  OP_VIEW = 16        /* output 0 has the bytes of input 0, in their order */
} OpFlags;
#define AXIS_MIXES (-1) /* samples along the axis meet in this node */
struct OpDef {
  const char *name, *domain; /* "" is ai.onnx */
  const OpRow *rows;         /* oldest first */
  int nrow;
  /* Types, shapes and symbolic content of the outputs. */
  void (*infer)(Node *n);
  /* The reference kernel calls; also used by eval.c. */
  void (*lower)(Lower *l, Node *n);
  /* Calls that find Node.size, before those of lower; see infer_sizes. */
  void (*sizes)(Lower *l, Node *n);
  /* Rewrites the node into others (composites); then it has no lower. */
  void (*expand)(Node *n);
  /* Where axis `axis` of input `in` comes out at output `out` as the outermost
   * factor of an axis whose slices stay independent; AXIS_MIXES if not. NULL:
   * elementwise operators by broadcasting, others mix. */
  int (*axis)(const Node *n, int in, int axis, int out);
  /* Rewrites attributes and constants so that the node takes its data inputs
   * (and gives its outputs) with axes permuted: new axis k is old perm[k].
   * Returns false, and changes nothing, where it can't. NULL: never. */
  bool (*permute)(Node *n, const int *perm, int rank);
  unsigned flags;
};
/* A family's file ends with OPS_DEFINE(conv, defs), where `defs` is an array of
 * OpDef; ops.def names it: OPS(conv). */
#define OPS_DEFINE(family, defs) \
  const OpDef *const ops_##family = defs; \
  const int ops_##family##_count = COUNT(defs);
#define OPS(family) \
  extern const OpDef *const ops_##family; \
  extern const int ops_##family##_count;
#include "ops.def"
#undef OPS
/* opdef.c: the registry, from ops.def and elementwise.def. */
const OpDef *op_find(const char *domain, const char *name);
const OpRow *op_row(const OpDef *op, int version); /* NULL: older than all */
int op_count(void);
const OpDef *op_at(int i);

/* What a row says, NULL texts taken from the rows before. */
typedef enum { ROW_SIG, ROW_TYPES, ROW_ATTRS } RowText;
const char *op_row_text(const OpDef *op, const OpRow *row, RowText what);

/* infer.c */
/* Upgrades and infers node by node; stops at nothing, records diagnostics. */
void infer_graph(Graph *g);
void infer_nodes(Node *first, const Node *end); /* end is not looked at */
/* What is known of an output before its first inference is what the file
 * declared: it is compared, and the inferred wins. */
void infer_node(Node *n);
/* Helpers for infer functions. All are silent on bad inputs. */
bool infer_ready(const Node *n);  /* inputs have type and rank */
void infer_out(Node *n, int i, Dtype t, int rank, const Dim *const *dim);
void infer_same(Node *n, int out, int in);       /* type and shape */
bool infer_broadcast(Node *n, int nin, Dtype t); /* output 0 */
/* What two dimensions give; NULL after a diagnostic. */
const Dim *infer_broadcast_dim(Node *n, const Dim *a, const Dim *b, int axis);
/* false after a diagnostic that names `what`: "rows of A, columns of B". */
bool infer_equal(Node *n, const Dim *a, const Dim *b, const char *what);
/* Content of input i as dims (constant or symbolic): NULL if not known. */
const Dim *const *infer_content(const Node *n, int i, int *count);
bool infer_const_ints(const Node *n, int i, const int64_t **v, int *count);
/* `what` is only known at run time, and so is the shape of output i: takes the
 * one that the file declares in full, for kernels to check at run time. Else
 * records that it is not supported. */
bool infer_declared(Node *n, int i, Dtype t, const char *what);
/* `count` sizes that only data tells become dim[0..count): numbers where the
 * inputs are constants, else symbols, the same ones at each call; a dim[k] that
 * is not NULL before is what size k has to be, or the run ends in O2C_E_SHAPE.
 * bound[k] is the most that size k can be; NULL (or no list) where nothing
 * bounds it: then the caller of the generated code says how much there is room
 * for. The kernel calls of OpDef.sizes find them, by letter 'S'. false after a
 * diagnostic. */
bool infer_sizes(Node *n, int count, const Dim *const *bound, const Dim **dim);
/* The symbol of size k of `count`, new at each call. */
const Dim *infer_size_symbol(Node *n, int k, int count, const Dim *bound);
/* Output i has a rank of `rank` and dimensions that only data tells: those that
 * the file declares, for kernels to check; else those of infer_sizes. */
bool infer_by_sizes(Node *n, int i, Dtype t, int rank,
                    const Dim *const *bound, const Dim **dim);
/* The product of these sizes is `most` at most: of the parts of a Reshape. */
void dims_joint(DimPool *p, const Dim *const *dim, int n, const Dim *most);
DimPool *node_dims(const Node *n);
/* control.c: an If, Loop or Scan is replaced by other nodes; `next` is the
 * first of them, to be inferred. false: it is none, or stays as it is. */
bool control_inline(Node *n, Node **next);
/* sequence.c: the same for what makes or reads a sequence whose length is
 * known; and then, outputs of the graph that are lists get a node. */
bool sequence_inline(Node *n, Node **next);
void sequence_outputs(Graph *g);
void value_list(Value *v, ValueKind kind, Value *const *item, int n);
/* control_loop.c: moves what is the same in every trip of a loop before it. */
void loops_hoist(Graph *g);

/* eval.c: runs a node's reference kernels on constant inputs. */
bool eval_node(Node *n); /* outputs get data; false: not possible */
/* Runs OpDef.sizes. false: no constants, or (*status != 0) data do not fit. */
bool eval_sizes(Node *n, int count, int64_t *size, int *status);
/* The same on Value.sym, for operators that only move data. */
bool eval_moves(Node *n);
/* Content of a small integer or bool tensor; NULL: not known. */
#define SYM_CONTENT 64 /* elements of it */
const Dim *const *value_content(const Value *v, int *count);
/* sym.c: after a node's infer: Value.sym or data of small integer outputs. */
void sym_eval_node(Node *n);

/* lower.c: reference kernel calls. A Call names a kernel of refs.def with its
 * arguments as far as they are known; eval.c runs Calls on constants, codegen/
 * prints them as C. `fmt` has a letter per argument:
 *   i  input Value * (NULL: absent)   o  output Value *   (both: pointers)
 *   d  const Dim *                    k  int64_t
 *   D  const Dim *const *, int count  K  const int64_t *, int count
 *   f  double                        S  Node.size, to be filled (int64_t *)
 * The kernel is runtime_min/kernels/ref/<file>.h's NAME(kernel) for type `t`,
 * called with those arguments in order; refs.def has one row for each. */
typedef struct {
  char kind;                  /* i o d D f S; k and K arrive as d and D */
  Value *v;                   /* i o */
  const Dim *const *dim;      /* d (one) D S (n) */
  int n;
  double f;
} CallArg;
typedef struct {
  Node *node;
  const struct Custom *custom;
  const char *kernel;         /* "softmax"; of `custom`: its function */
  Dtype type;                 /* NAME(softmax) is o2c_ref_softmax_<type> */
  int narg;
  CallArg arg[40];
} Call;
struct Lower {
  Model *m;
  void (*emit)(Lower *l, const Call *c);
  void *user;
};
void lower_call(Lower *l, Node *n, const char *kernel, Dtype t,
                const char *fmt, ...);
/* A block of elements copied from one layout to another (kernel `strided`). */
typedef struct {
  int rank;
  const Dim *dim[2 * MAX_RANK], *xs[2 * MAX_RANK], *ys[2 * MAX_RANK];
  const Dim *xoff, *yoff;        /* NULL: 0 */
} Block;
void lower_block(Lower *l, Node *n, Value *x, Value *y,
                 const Block *b);
void value_strides(const Value *v, const Dim **stride); /* in elements */
/* OP_VIEW; no other output is used, and no input has to be checked. */
bool op_is_view(const Node *n);
/* A buffer of `elements` that lives during this node only: pass it as 'o'. */
Value *lower_scratch(Lower *l, Node *n, Dtype t, const Dim *elements);
typedef struct { const char *kernel, *file; bool status; } RefInfo;
const RefInfo *ref_find(const char *kernel); /* refs.c; NULL: no such one */
/* Runs it; p, d, L, f are the arguments by kind in order. `status` gets the
 * o2c_status, 0 if it has none. false: the kernel does not exist for t. */
typedef struct {
  void *p[24];
  int64_t d[24];
  const int64_t *L[24];
  double f[24];
} RefArgs;
bool ref_run(const char *kernel, Dtype t, const RefArgs *a, int *status);

/* pass.c: passes.def lists them in order. */
typedef struct {
  const char *name, *what;
  int level;                    /* runs at -O level and above */
  bool (*run)(Graph *g);        /* true: changed something */
} Pass;
#define PASS(name, level, what) bool pass_##name(Graph *g);
#include "passes.def"
#undef PASS
void passes_run(Graph *g);
int pass_count(void);
const Pass *pass_at(int i);
/* Helpers of passes. */
bool match_op(const Value *v, const char *op_type, Node **n);
const Tensor *const_input(const Node *n, int i); /* NULL: not constant */
void dead_code(Graph *g);
void node_add_origin(Node *to, const Node *from);
void node_absorb(Node *to, Node *from); /* removes; `to` gets its origin */
/* layout_view.c: a Transpose above a reshape moves below it. */
bool layout_sink_view(Node *n);
/* fuse_conv.c: lo, hi of Relu or a constant Clip; false if n is neither. */
bool clamp_bounds(const Node *n, float *lo, float *hi);
bool conv_is_tuned(const Node *n);      /* fuse_conv.c: becomes FusedConv */
/* verify_ir.c, print.c */
void ir_check(Graph *g, const char *after); /* panics on a broken invariant */
void ir_print(StrBuf *b, const Graph *g);
const char *dims_text(DimPool *p, int rank, const Dim *const *dim);
const char *value_shape_text(const Value *v); /* "[N, 3, 224, 224]" */
const char *type_text(Arena *a, const Type *t); /* "seq(tensor(float))" */

#include "options.h"
#include "ops.h"
#include "values.h"
#endif
