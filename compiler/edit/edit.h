/* SPDX-License-Identifier: Apache-2.0 */
/* Graph surgery: what the files of this folder share. README.md says how a
 * step is added.
 *
 * A model is edited as the messages of its file (onnx.pb-c.h), so that all
 * which no step touches is written as it was read. Payloads (bytes, repeated
 * numbers, doc strings, metadata of nodes, unknown fields) are not in the
 * messages: they are runs of the mapped file, reached through `pb`, see
 * import.h. Nothing is freed singly; saving streams from the map. */
#ifndef O2C_EDIT_H
#define O2C_EDIT_H
#include "import.h"

typedef Onnx__ModelProto ModelProto;
typedef Onnx__GraphProto GraphProto;
typedef Onnx__NodeProto NodeProto;
typedef Onnx__TensorProto TensorProto;
typedef Onnx__AttributeProto AttributeProto;
typedef Onnx__FunctionProto FunctionProto;
typedef Onnx__ValueInfoProto ValueInfoProto;

/* Field numbers of payloads. */
enum { FIELD_A_S = 4, FIELD_A_FLOATS = 7, FIELD_A_INTS = 8,
       FIELD_A_STRINGS = 9, FIELD_T_DIMS = 1, FIELD_T_RAW = 9,
       FIELD_T_STRING = 6 };

typedef struct {
  const char *name;      /* "rename" */
  const char **arg;
  int n;
} EditStep;
typedef struct Edit {
  Model *m;              /* diagnostics; m->path is the file */
  Import *im;            /* maps of files */
  Pb *pb;                /* payloads of all messages */
  Arena *a;              /* of all messages; lives as long as the Edit */
  Arena scratch;         /* of indexes; freed after each step */
  ModelProto *mp;
  const char *step;      /* the one in work, as written; NULL: none */
  int nstep;             /* steps done */
  bool quiet_out;        /* a step printed, so no OUT is needed */
  const char *external;  /* file that saving moves weights to; NULL: none */
  int64_t external_least;/* bytes of a tensor that goes there */
  int fresh;             /* numbers of made names */
  Map *taken;            /* names in use; made new for each step */
  Model **typed;         /* what edit_infer made */
  int ntyped;
  Model *now;            /* the newest of them, for the step in work */
} Edit;

/* edit.c */
/* e->m->nerror says whether it was read. NULL: no memory. path NULL: nothing is
 * read, and the caller sets e->mp. */
Edit *edit_open(const Options *opt, const char *path);
void edit_free(Edit *e);
void edit_panicked(Edit *e); /* after MODEL_EDGE: a diagnostic */
/* register.c: "new:17" is a model without nodes, of operator set 17. */
bool edit_new(Edit *e, const char *word);
/* One step from its words; false after a diagnostic. */
bool edit_step(Edit *e, const char *const *word, int n);
/* A diagnostic which names the step; returns false. The text tells what is
 * wrong and what to do. EXIT_USAGE: the step can't be meant; EXIT_MODEL: the
 * model is broken; EXIT_UNSUPPORTED: we can't. */
bool edit_fail(Edit *e, ExitCode c, const char *fmt, ...) PRINTF(3, 4);
void edit_warn(Edit *e, const char *fmt, ...) PRINTF(2, 3);
void edit_note(Edit *e, const char *fmt, ...) PRINTF(2, 3); /* with -v */
#define Q(e, s) quote((e)->a, (s) ? (s) : "")

/* words.c: text of steps. */
/* "a b 'c d'" as words; NULL after a diagnostic. */
const char **edit_words(Edit *e, const char *text, int *n);
bool edit_script(Edit *e, const char *path);
bool edit_int(const char *s, int64_t *v);
bool edit_float(const char *s, double *v);
/* Parts of "a,b,c"; *n = 0 for "". */
const char **edit_split(Edit *e, const char *s, char at, int *n);
bool edit_match(const char *glob, const char *s); /* * and ? */
bool edit_is_glob(const char *s);
/* "; near: 'a', 'b'", or "", for messages. */
const char *edit_near(Edit *e, const char *word, const char *const *name,
                      int n);

/* body.c: a Body is a graph or a function, which hold nodes alike. */
typedef struct Body {
  GraphProto *g;         /* NULL: a function */
  FunctionProto *f;      /* NULL: a graph */
  struct Body *outer;    /* whose names it sees too; NULL: none */
  NodeProto *holder;     /* of a graph in an attribute: its node */
  const char *attr;      /* and the attribute */
} Body;
/* The main graph first, then all others; an outer one before its inner. */
Body *edit_bodies(Edit *e, int *n);
Body *edit_main(Edit *e);
const char *body_text(Edit *e, const Body *b); /* "the main graph" */
size_t body_count(const Body *b);              /* nodes */
NodeProto *body_node(const Body *b, size_t i);
void body_insert(Edit *e, const Body *b, size_t at, NodeProto *n);
void body_remove(const Body *b, size_t at);
size_t body_find(const Body *b, const NodeProto *n); /* SIZE_MAX: not there */
/* Graphs in the attributes of a node. */
int node_graphs(Edit *e, const NodeProto *n, GraphProto ***g);

/* index.c: what a name means in a body. Good until the body changes, and until
 * the step ends. */
typedef struct {
  const char *name;
  NodeProto *maker;      /* and its output */
  size_t out;
  ValueInfoProto *input; /* of a graph; of a function: see is_input */
  bool is_input, is_output;
  TensorProto *init;     /* also a sparse one's values */
  Onnx__SparseTensorProto *sparse;
  int uses;              /* reads by nodes here and in bodies in it */
} Named;
typedef struct { Map map; } Index;
Index *body_index(Edit *e, const Body *b);
void index_drop(Edit *e, Index *x, NodeProto *n); /* it reads no more */
Named *index_get(const Index *x, const char *name); /* NULL: not made here */
/* Every graph and function is asked; false after a diagnostic. */
bool edit_find_tensor(Edit *e, const char *name, Body **b, Named **t);
/* By name, by "#12" (place in the main graph), or by an output. */
bool edit_find_node(Edit *e, const char *name, Body **b, size_t *at);
/* Names that a node reads, also by the graphs in it; each once. */
const char **node_reads(Edit *e, NodeProto *n, int *count);
const char *node_text(Edit *e, const NodeProto *n); /* for messages */
const char *edit_fresh(Edit *e, const char *hint);  /* a name not yet used */
/* All that calls the value `from`, which `b` makes (or nobody), says `to`. */
void body_rename(Edit *e, const Body *b, const char *from, const char *to);
void body_rename_all(Edit *e, const Body *b, Map *to); /* from -> char *to */
/* Nodes that read `from` read `to`, in inner bodies too; but not `except`. */
void body_redirect(Edit *e, const Body *b, const char *from, const char *to,
                   const NodeProto *except);
void body_redirect_all(Edit *e, const Body *b, Map *to,
                       const NodeProto *except);
ValueInfoProto *body_info(const Body *b, const char *name); /* in, out, info */

/* message.c: messages and their payloads. */
void *list_put(Arena *a, void *list, size_t *n, size_t at, void *item);
void list_drop(void *list, size_t *n, size_t at);
#define LIST_ADD(e, p, field, item) \
  ((p)->field = list_put((e)->a, (p)->field, &(p)->n_##field, \
                         (p)->n_##field, item))
#define LIST_DROP(p, field, at) list_drop((p)->field, &(p)->n_##field, at)
char *edit_str(Edit *e, const char *s);
void *edit_clone(Edit *e, const void *msg); /* deep */
/* Without inputs, outputs and name; "" is ai.onnx. */
NodeProto *edit_node(Edit *e, const char *op, const char *domain);
void node_add_input(Edit *e, NodeProto *n, const char *name);
void node_add_output(Edit *e, NodeProto *n, const char *name);
ValueInfoProto *edit_info(Edit *e, const char *name, Dtype t, int rank,
                          const char *const *dim); /* numbers or names */
/* Payloads: set replaces what was there. */
void msg_set_ints(Edit *e, void *msg, uint32_t field, const int64_t *v,
                  size_t n);
void msg_set_floats(Edit *e, void *msg, uint32_t field, const float *v,
                    size_t n);
void msg_set_bytes(Edit *e, void *msg, uint32_t field, const void *p,
                   size_t n); /* copied */
void msg_add_bytes(Edit *e, void *msg, uint32_t field, const void *p,
                   size_t n);
/* Not copied: must live as long as the Edit. */
void msg_set_place(Edit *e, void *msg, uint32_t field, Str bytes);
const int64_t *msg_ints(Edit *e, const void *msg, uint32_t field, size_t *n);
const char *msg_text(Edit *e, const void *msg, uint32_t field); /* "": none */

/* tensors.c: attributes and tensors. */
AttributeProto *node_attr(const NodeProto *n, const char *name); /* NULL */
AttributeProto *node_attr_set(Edit *e, NodeProto *n, const char *name,
                              Onnx__AttributeProto__AttributeType t);
void node_attr_drop(NodeProto *n, const char *name);
void node_attr_int(Edit *e, NodeProto *n, const char *name, int64_t v);
void node_attr_float(Edit *e, NodeProto *n, const char *name, float v);
void node_attr_str(Edit *e, NodeProto *n, const char *name, const char *v);
void node_attr_ints(Edit *e, NodeProto *n, const char *name, const int64_t *v,
                    size_t count);
void node_attr_tensor(Edit *e, NodeProto *n, const char *name, TensorProto *t);
int64_t node_attr_get_int(const NodeProto *n, const char *name, int64_t dflt);
/* `data` is raw data, copied. */
TensorProto *tensor_make(Edit *e, const char *name, Dtype t, int rank,
                         const int64_t *dim, const void *data, size_t size);
TensorProto *tensor_write(Edit *e, const char *name, const Tensor *t);
/* Type, shape and elements, unpacked; NULL after a diagnostic. */
const Tensor *tensor_read(Edit *e, const TensorProto *t);
bool tensor_is_external(const TensorProto *t);
/* The elements as raw data, wherever they stand; false after a diagnostic. */
bool tensor_raw(Edit *e, const TensorProto *t, Str *raw);
void body_add_initializer(Edit *e, const Body *b, TensorProto *t);
/* A constant's tensor: initializer or Constant node, here or outside; NULL. */
const Tensor *body_constant(Edit *e, const Body *b, const char *name);
int64_t edit_opset(const Edit *e, const Body *b, const char *domain); /* 0 */

/* visit.c: every tensor of the model, in the order of the file. */
typedef struct { TensorProto **t; int n; } Tensors;
Tensors edit_tensors(Edit *e);
/* external.c: the model reaches weights of other files where they are mapped,
 * whatever folder it is written to. */
bool edit_internalize(Edit *e);

/* types.c: by inference of the IR. */
/* The model as it is now, inferred; lives as long as the Edit. Its errors are
 * not the Edit's: what could not be inferred has no type. */
Model *edit_infer(Edit *e);
/* The tensor of the main graph as an input or output says it: declared,
 * inferred, or from its initializer. NULL: not known. */
ValueInfoProto *edit_value_info(Edit *e, const char *name);
/* "float[N,3,?]", "float", "int64[]"; NULL after a diagnostic. */
ValueInfoProto *edit_parse_type(Edit *e, const char *name, const char *text);
Dtype dtype_parse(const char *s, size_t n); /* "float" or "f32"; DT_NONE */

/* save.c */
/* Items that the message itself holds in this field. */
size_t pb_items(const ProtobufCFieldDescriptor *f,
                const ProtobufCMessage *msg);
/* To `out`, at once or not at all; false after a diagnostic. */
bool edit_save(Edit *e, const char *out);
uint64_t msg_size(Edit *e, const void *msg);          /* bytes in a file */
/* Of what a file would hold; payloads by their place, so that weights are not
 * read. */
uint64_t msg_hash(Edit *e, const void *msg);
void edit_sha256(Edit *e, char out[65]); /* of the file that would be written */

#define STEP(name, function, least, most, args, help) \
  bool step_##function(Edit *e, const EditStep *s);
#include "steps.def"
#undef STEP
#endif
