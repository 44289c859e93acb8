/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the import layer share: pb.c and import*.c. They are the
 * only ones that see protobuf-c; everything else sees the Model. */
#ifndef O2C_IMPORT_H
#define O2C_IMPORT_H
#include "ir.h"
#include "onnx.pb-c.h"

/* pb.c: reading. A run is a stretch [from, to) of the file which holds
 * consecutive records of one field; those fields stay in the file. Runs that
 * an edit adds may stand elsewhere in memory. */
typedef struct PbRun {
  struct PbRun *next;
  uint32_t field;
  bool bare;             /* one value that is bytes, without tag and length */
  const uint8_t *p;      /* the file, or other memory */
  size_t from, to;
  uint64_t count;        /* elements */
} PbRun;
typedef struct {
  Model *m;
  Arena *tmp;            /* for the skeleton and the runs */
  const uint8_t *p;
  size_t n;
  PbRun **rec;           /* runs of a message, by the number it carries */
  int nrec;
  StrBuf skel;           /* while pb_read runs */
} Pb;
/* The message without its payloads; NULL after a diagnostic. */
const ProtobufCMessage *pb_read(Pb *pb, const ProtobufCMessageDescriptor *d);
/* Payload fields: bytes, repeated numbers, doc_string, metadata of nodes. */
bool pb_payload(const ProtobufCMessageDescriptor *d,
                const ProtobufCFieldDescriptor *f);
uint64_t pb_count(const Pb *pb, const void *msg, uint32_t field);
typedef struct { uint64_t u; Str s; } PbItem; /* number; bytes */
typedef struct {
  const Pb *pb;
  const PbRun *run;
  uint32_t field;
  int wire;              /* of an element */
  size_t at, pos, packed;
} PbIter;
PbIter pb_iter(const Pb *pb, const void *msg, uint32_t field);
bool pb_next(PbIter *it, PbItem *x);
bool pb_last(const Pb *pb, const void *msg, uint32_t field, Str *s);
/* The bytes of a packed field that stands in one piece. */
bool pb_packed(const Pb *pb, const void *msg, uint32_t field, Str *s);
/* pb.c: writing. */
PbRun **pb_runs(const Pb *pb, const void *msg); /* NULL: it never had any */
void pb_add_run(Pb *pb, void *msg, const PbRun *run); /* a copy of it, last */
void pb_clear(Pb *pb, void *msg, uint32_t field);
void pb_put_varint(StrBuf *b, uint64_t v);
void pb_put_int(StrBuf *b, uint32_t field, uint64_t v);
void pb_put_bytes(StrBuf *b, uint32_t field, const void *p, size_t n);

/* State of an import, in Model.import; the maps stay until import_free. */
typedef struct FileMap {
  struct FileMap *next;
  const char *path;
  void *p;
  size_t n;
  uint64_t device, inode; /* tell whether `path` is still this file */
} FileMap;
typedef struct Function {
  const Onnx__FunctionProto *p;
  const Opset *opset;
  int nopset;
  bool active;           /* being inlined: meeting it again is recursion */
} Function;
typedef struct Import {
  Model *m;
  Arena tmp;             /* freed when the import ends */
  Pb pb;
  FileMap *maps;
  Map functions;         /* domain, name, overload -> Function */
  Map symbols;           /* named dimensions of the main graph's inputs */
  Map shadowed;          /* names already warned about */
  Map prefixes;          /* of calls of functions, so that names differ */
  int depth;             /* of graphs and calls */
  int64_t inlined;       /* nodes that calls of functions gave */
  Diag memory;           /* ready for when there is none left */
} Import;
Import *import_state(Model *m);

/* Where a name is looked up: a graph, or one call of a function, whose nodes
 * go to the graph of the call. */
typedef struct { Value *v; bool made; } Bind;
typedef struct Scope {
  struct Scope *outer;   /* NULL: main graph or function */
  Graph *g;
  Map names;             /* -> Bind */
  const Opset *opset;
  int nopset;
  const Map *actual;     /* in a function: attribute -> ActualAttr */
  const char *path;      /* in a function: before its names; else "" */
  int index;             /* in a function: index of the call; else -1 */
} Scope;
typedef struct { const Onnx__AttributeProto *p; Scope *scope; } ActualAttr;

/* Where a message about a tensor or a type belongs. */
typedef struct {
  Import *im;
  Node *n;               /* NULL: the model */
  const char *what;      /* "initializer 'w'" */
} Place;
void place_fail(const Place *at, ExitCode c, const char *fmt, ...)
  PRINTF(3, 4);

/* import.c */
/* What a file is that is no model, with a remedy; NULL: it may be one. */
const char *import_other(const void *p, size_t n);
/* A model of messages that were read before, and maybe changed. `pb` has their
 * payloads; both must stay as long as the model. */
Model *import_message(const Options *opt, const char *path, const Pb *pb,
                      const Onnx__ModelProto *mp);
Bind *scope_find(Scope *sc, const char *name); /* here only */
Bind *scope_bind(Scope *sc, const char *name, Value *v, bool made);
Value *scope_read(Scope *sc, Node *n, const char *name); /* NULL: omitted */
Value *scope_make(Scope *sc, Node *n, const char *name);
void scope_declare(Scope *sc, const Onnx__NodeProto *np);
Graph *import_graph(Import *im, const Onnx__GraphProto *gp, Scope *outer);
void import_node(Import *im, Scope *sc, const Onnx__NodeProto *np, int index);
int opset_version(const Opset *o, int n, const char *domain); /* 0: none */
Opset *import_opsets(Import *im, Onnx__OperatorSetIdProto **p, size_t n,
                     int *count);
const char *domain_name(const char *domain); /* "ai.onnx" is "" */

/* import_attr.c: attributes, types and dimensions. */
void import_attrs(Import *im, Scope *sc, Node *n, const Onnx__NodeProto *np);
const Type *import_type(const Place *at, const Onnx__TypeProto *tp);
void import_symbols(Import *im, const Onnx__GraphProto *gp);
void import_declared(Import *im, Value *v, const Onnx__ValueInfoProto *vi);
void import_input(Import *im, Value *v, const Onnx__ValueInfoProto *vi);

/* import_tensor.c */
Dtype import_dtype(const Place *at, int32_t type);
const Tensor *import_tensor(const Place *at, const Pb *pb,
                            const Onnx__TensorProto *tp);
void export_tensor(StrBuf *b, const Tensor *t); /* as a TensorProto */
const Tensor *import_sparse(const Place *at, const Pb *pb,
                            const Onnx__SparseTensorProto *sp);

/* import_external.c: files, mapped read-only. */
const FileMap *file_map(Import *im, const char *path, const char **why);
bool import_external(const Place *at, const Onnx__TensorProto *tp, Str *bytes);

/* import_function.c */
void import_functions(Import *im, const Onnx__ModelProto *mp);
Function *function_find(Import *im, const Onnx__NodeProto *np);
void import_call(Import *im, Scope *sc, const Onnx__NodeProto *np, Node *call,
                 Function *f);

/* import_order.c: puts the nodes of `g` in topological order. */
void import_order(Import *im, Graph *g);
#endif
