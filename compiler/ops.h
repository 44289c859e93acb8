/* SPDX-License-Identifier: Apache-2.0 */
/* What families of operators share with passes and providers, by file: how
 * windows, products and scales lie, chains of elementwise operators, and the
 * schemas. Part of ir.h, which includes it.
 */
#ifndef O2C_OPS_H
#define O2C_OPS_H

/* window.c: the sliding windows of convolutions and pools. Asked after
 * inference these are right or false; `error` is for infer functions. */
typedef struct {
  int n;                    /* spatial axes */
  bool channels_last;       /* x and y are [batch, spatial.., channels] */
  int64_t group;
  int64_t kernel[MAX_RANK], stride[MAX_RANK], dilation[MAX_RANK];
  int64_t extent[MAX_RANK]; /* (kernel - 1) * dilation + 1 */
  const Dim *in[MAX_RANK], *out[MAX_RANK];    /* spatial extents of x, y */
  const Dim *begin[MAX_RANK], *end[MAX_RANK]; /* padding, auto_pad resolved */
  const Dim *batch, *channels, *filters;      /* filters: channels of y */
  const Dim *want_channels; /* by the weight */
  const char *error;        /* what the spec forbids; NULL: none, or silent */
} ConvGeom;
bool conv_geometry(const Node *n, ConvGeom *g); /* Conv, QLinearConv, .. */
bool conv_transpose_geometry(const Node *n, ConvGeom *g);
bool pool_geometry(const Node *n, ConvGeom *g);
int geometry_out(const ConvGeom *g, const Dim **dim); /* shape of y: rank */
bool geometry_unpadded(const ConvGeom *g); /* no axis, proven */
/* For infer functions: asks `of`, and tells what is wrong; false then. */
bool infer_geometry(Node *n, bool (*of)(const Node *, ConvGeom *), ConvGeom *g);
int geometry_axis(const Node *n, int in, int axis, int out); /* OpDef.axis */

/* matmul.c: the product of MatMul and its integer kin, numpy's way: a vector
 * is a row on the left and a column on the right. */
typedef struct {
  const Dim *m, *n, *k;
  bool row, column;         /* y has the axis of m, of n */
  int rank;                 /* of the batch */
  const Dim *batch[MAX_RANK];
  const Dim *as[MAX_RANK], *bs[MAX_RANK]; /* strides, elements; 0: broadcast */
} MatShape;
/* Of inputs `ia` and `ib`, after inference. */
void matmul_shape(const Node *n, int ia, int ib, MatShape *s);
/* Along `rank` batch axes of a product: 0 where `v` has one matrix for all. */
void matmul_strides(DimPool *p, const Value *v, int rank, const Dim **stride);
/* Checks them and infers output 0. */
bool infer_matmul_of(Node *n, int ia, int ib, Dtype t);
int matmul_axis(const Node *n, bool left, int ia, int ib, int axis);

/* norm.c: operands in the type that kernels compute in. */
Dtype real_of(Dtype t);     /* f64 of f64, else f32 */
Value *lower_real(Lower *l, Node *n, Value *v, Dtype real);    /* v, or so */
Value *lower_real_for(Lower *l, Node *n, Value *out, Dtype real); /* to fill */
void lower_real_to(Lower *l, Node *n, Value *from, Value *out); /* then this */

/* Has `v` the axes of x from `axis` on, and ones before them? */
bool norm_row(const Value *x, const Value *v, int axis);
/* Elements between neighbours of v along the axes of x; 0: broadcast. */
void norm_strides(const Node *n, const Value *v, const Dim **stride);
/* Input 0 as [n, channels, space], of BatchNormalization and its kin. */
void norm_channels(const Node *n, const Dim *of[3]);
/* The axes that MeanVarianceNormalization takes the mean over; false: wrong. */
bool norm_mean_axes(const Node *n, bool gone[MAX_RANK]);

/* recurrent.c: RNN (0), GRU (1), LSTM (2), also as the internal Recurrent and
 * LstmOfBytes. */
int recurrent_kind(const Node *n);
int recurrent_dirs(const Node *n);
const Dim *recurrent_hidden(const Node *n);
bool recurrent_direction(Node *n); /* false after a diagnostic, as these: */
bool recurrent_shape(Node *n, int in, int rank, const Dim *const *dim,
                     const char *what); /* of input `in`, if it is there */
#define RECURRENT_PER_DIR 9
/* What the node's activations say. */
bool recurrent_functions(Node *n, int64_t v[2 * RECURRENT_PER_DIR]);
/* Sigmoid for gates, Tanh for the rest, and nothing that can be switched on. */
bool recurrent_usual(Node *n);
/* Elements between steps and rows of X, steps, directions and rows of Y,
 * directions and rows of the states. */
void recurrent_strides(const Node *n, const Dim *at[7]);

/* softmax.c: [outer, n, inner] of Softmax, LogSoftmax, Hardmax. */
void softmax_span(const Node *n, const Dim *e[3]);

/* attention.c: o2c.Attention, the one form of attentions. */
typedef struct {
  const Dim *n, *h, *g, *s, *t, *d, *v; /* as ref/attention.h has them */
  const Dim *mask[4];       /* strides of the mask, 0: broadcast */
  const Dim *mask_keys, *past;
  bool has_scale;
  double scale, softcap;
} AttentionShape;
void attention_shape(const Node *n, AttentionShape *s);
/* A node before `at` whose inputs are to be set: Q K V, mask, valid, past. */
Node *attention_new(Node *at);

/* linear.c: LinearAttention, by the names of ref/linear.h. false after a
 * diagnostic; none after inference. */
typedef struct {
  const Dim *n, *t, *heads, *groups, *keys, *wide;
  bool gated, delta, per_key, per_head; /* per_key: decay; per_head: beta */
  double scale;
} LinearShape;
bool linear_shape(Node *n, LinearShape *r);

/* reduce.c: the axes of a Reduce operator; false: not constant, or wrong. */
bool reduce_axes(const Node *n, bool gone[MAX_RANK]);

/* quantize.c: how scales lie along x; see kernels/ref/quantize.h. */
typedef struct {
  const Dim *outer, *n, *inner, *so, *sa, *si;
  int64_t block;
  int axis;                 /* -1: one scale for all */
} QuantSpan;
bool quantize_span(const Node *n, QuantSpan *s);

/* resize.c: what a Resize says, by the numbers of kernels/ref/resize.h. */
typedef struct {
  int mode, coord, nearest, policy; /* mode: 0 nearest, 1 linear, 2 cubic */
  bool antialias, exclude;
  double a, outside;
  int naxis, axis[MAX_RANK];        /* the axes that its lists are for */
  bool moves[MAX_RANK];             /* axis k of x is not known to stay */
} ResizePlan;
void resize_plan(const Node *n, ResizePlan *r);

/* forest.c: the trees of an ensemble of ai.onnx.ml. A node is a comparison of
 * a feature with a threshold, and then has two children; or a leaf, which says
 * `no` weights from number `yes` on, each for a target. */
enum { FOREST_LEQ, FOREST_LT, FOREST_GTE, FOREST_GT, FOREST_EQ, FOREST_NEQ,
       FOREST_LEAF, FOREST_MEMBER, FOREST_TRACKS = 8 /* NaN: `yes` */ };
enum { FOREST_AVERAGE, FOREST_SUM, FOREST_MIN, FOREST_MAX };
enum { FOREST_NONE, FOREST_SOFTMAX, FOREST_LOGISTIC, FOREST_SOFTMAX_ZERO,
       FOREST_PROBIT };
typedef struct { int32_t feature, mode, yes, no; } ForestNode;
typedef struct {
  Dtype real;               /* of thresholds and sums: f64 where x is, or f32 */
  int nodes, trees, weights, targets, features;
  ForestNode *node;
  const Tensor *value;      /* the thresholds, of all nodes */
  int32_t *root, *target;
  Tensor *weight;
  const Tensor *base;       /* NULL: none */
  int aggregate, post;
  bool classes;             /* targets are those */
  const Attr *labels;       /* of classes */
  bool negative, several;   /* there are weights < 0, of more than one class */
} Forest;
const Forest *forest_of(Node *n); /* NULL after a diagnostic */
/* ops/trees.c: what comes after the sums y, for any way to make them. */
Value *forest_base(Node *n, const Forest *f);
Value *forest_labels(Node *n, const Forest *f);
void forest_classes(Lower *l, Node *n, const Forest *f, Value *y, Value *is);

/* infer.c: of sizes that are content of inputs. */
/* The one number that input i is; NULL: not known, or absent. */
const Dim *infer_scalar(const Node *n, int i);
/* What the file declares of size k of output i, of this rank; NULL: nothing. */
const Dim *infer_declared_dim(const Node *n, int i, int rank, int k);

/* dft.c: the transform of a DFT along one axis, of the frames of an STFT. */
typedef struct {
  int axis;                 /* -1: only the run tells */
  const Dim *n;             /* length of the transform; NULL: likewise */
  bool inverse, onesided;
} DftShape;
bool dft_shape(const Node *n, DftShape *s); /* false: not all is known */
typedef struct {
  const Dim *n, *step;      /* of a frame, between two; NULL: the run tells */
  bool onesided;
} StftShape;
void stft_shape(const Node *n, StftShape *s);

/* ml.c: what operators of ai.onnx.ml share. `n` is the node that becomes
 * others, which stand before it. */
typedef enum { ML_NONE, ML_SOFTMAX, ML_LOGISTIC, ML_SOFTMAX_ZERO, ML_PROBIT }
  MlPost;
bool ml_post(Node *n, MlPost *post);      /* of its post_transform */
/* Of scores [rows, classes], f32. One score alone changes by PROBIT only. */
Value *ml_transform(Node *n, Value *scores, MlPost post);
typedef struct {
  const Attr *ints, *strings; /* one of them, or none: no labels */
  Dtype type;
  int n;
} MlLabels;
/* By the names of two attributes; false after a diagnostic. */
bool ml_labels(Node *n, const char *ints, const char *strings, MlLabels *l);
/* `count` labels from `first` on, by number: index is int64. */
Value *ml_label_of(Node *n, const MlLabels *l, int first, int count,
                   Value *index);
Value *ml_top(Node *n, Value *scores);    /* [rows]: number of the largest */
Value *ml_numbers(Node *n, const char *hint, const float *v, int64_t count);
Value *ml_rows(Node *n, Value *x);        /* [C] as [1, C] */
/* Rows and columns of input 0, [N, C] or [C]; false after a diagnostic. */
bool ml_matrix(Node *n, const Dim **rows, const Dim **columns);
void ml_replace(Node *n, int out, Value *by); /* if the output is used */

/* elementwise.c: operators as rows of elementwise.def. A chain is what one
 * generated loop does: steps, in order, over inputs that broadcast to the
 * output of the node. A single node is a chain, and so is what fuse_ew.c puts
 * into Node.fused of a node "Fused". */
#define EW_MAX_PAR 2
#define EW_ABSENT INT32_MIN /* an argument: no zero point */
typedef enum { EC_FLOAT, EC_SIGNED, EC_UNSIGNED, EC_BOOL, EC_MOVE, EC_COUNT }
  EwClass;
typedef enum { EW_MAP, EW_PREDICATE, EW_FOLD, EW_SELECT } EwKind;
typedef struct {
  OpDef def;                   /* first: an EwOp is an OpDef */
  EwKind kind;
  int arity;                   /* operands of the expression */
  const char *choice;          /* words of the string parameter, or NULL */
  double par[EW_MAX_PAR];      /* defaults of the numbers */
  bool via_f64;
  const char *text[EC_COUNT];  /* the expressions, as spelled */
} EwOp;
typedef enum { ES_OP, ES_CAST, ES_QUANTIZE, ES_DEQUANTIZE } EwStepKind;
typedef struct {
  EwStepKind kind;
  const EwOp *op;              /* ES_OP */
  Dtype type, out;             /* of the operands, and of the result */
  bool round;                  /* ends an operator of the model */
  int arg[3];                  /* k >= 0: input k of the node; ~k: step k */
  double par[EW_MAX_PAR];      /* CAST: saturate, round_mode */
} EwStep;
typedef struct { EwStep *step; int n; } EwChain;
int ew_count(void);
const OpDef *ew_at(int i);
const EwOp *ew_find(const char *name);
EwClass ew_class(Dtype t);
Dtype ew_compute(Dtype t);     /* half types in float, 4 bits in a byte .. */
/* The node as a chain; NULL: it is none, or not for these types. */
EwChain *ew_chain(Node *n);
/* The same steps at the end of `c`, with arg[] for the node's inputs. Scales of
 * a quantisation must be made to broadcast by the caller. */
bool ew_append(EwChain *c, Node *n, const int *arg);
/* ew_eval.c: runs a chain on constants; false: not possible. */
bool ew_eval(Node *n);

/* contrib.c: a node of onnxruntime's own becomes nodes of ai.onnx before it, in
 * its row's `upgrade`. Those that return a Value infer what they make. */
bool contrib_ready(Node *n); /* inputs are known and fit; false: leave it */
bool contrib_rank(Node *n, int in, int least, int most); /* else diagnosed */
bool contrib_heads(Node *n, int64_t *heads); /* num_heads; else diagnosed */
/* Not inferred: attributes are to be set; an input may be NULL. */
Node *contrib_node(Node *at, const char *op, int nin, ...);
Value *contrib_out(Node *made); /* infers it */
Value *contrib_cast(Node *at, Value *x, Dtype t);
Value *contrib_transpose(Node *at, Value *x, const int64_t *perm);
Value *contrib_reshape(Node *at, Value *x, const int64_t *shape, int rank);
Value *contrib_slice(Node *at, Value *x, int64_t axis, int64_t from,
                     int64_t to);
Value *contrib_concat(Node *at, Value *a, Value *b, int64_t axis);
Value *contrib_unsqueeze(Node *at, Value *x, int64_t axis);
Value *contrib_number(Node *at, Dtype t, double v);
Value *contrib_size(Node *at, Value *x, int64_t axis); /* i64[1] */
/* from (NULL: 0) to to - 1, of two i64[1]. */
Value *contrib_range(Node *at, Value *from, Value *to);
void contrib_give(Node *n, int i, Value *v); /* as output i, if n has it */

/* axis.c: what nodes do to the axes of their inputs, for the batch law and for
 * --make-batch. AXIS_APART: this output does not depend on that input. */
#define AXIS_APART (-2)
int node_axis(const Node *n, int in, int axis, int out); /* OpDef.axis */
bool value_has(const Value *v, int sym);    /* a dimension of it, at least */
bool content_has(const Value *v, int sym);  /* what it holds, as dimensions */
bool node_shape_only(const Node *n); /* inference knows all that it makes */
bool node_reads_shape(const Node *n); /* a shape operand, when compiling */

/* ops/distance.c: an o2c.Distance before `at`, inferred; its output. */
Value *distance_of(Node *at, Value *a, Value *b, float p);

/* quant.c: products of bytes, for passes that make QConv and QGemm. */
typedef struct {
  Tensor *part[2];        /* s8, filters first; the weight less its zero point
                             is their sum. part[1] NULL: one is enough */
  int64_t filters, per;   /* per: elements of one */
} ByteWeight;
typedef struct {
  const char *op;         /* "QConv" or "QGemm" */
  const Node *n;          /* whose attributes, output shape, origin it has */
  Value *x;               /* u8 */
  const ByteWeight *w;
  const int64_t *bias;    /* of each filter, or NULL */
  const float *scale;     /* of each filter; NULL where sums are wanted */
  int x_zp, y_zp, lo, hi; /* of u8: bounds of the clamp */
} ByteProduct;
/* Nodes before `at` that make the u8 twin of an s8 tensor, and back. */
Value *bytes_unsigned(Node *at, Value *x);
Value *bytes_signed(Node *at, Value *x);
Value *bytes_twin(const Value *x); /* what bytes_signed made x of, or NULL */
/* trans: [K, N] to [N, K]. false: not possible. */
bool byte_weight(Graph *g, const Tensor *w, const Tensor *zero, bool trans,
                 ByteWeight *out);
/* The largest magnitude that the sums of filter f can have, without bias. */
int64_t byte_weight_most(const ByteWeight *w, int64_t f);
/* The product before `at`, as i32, f32, or requantised u8. A weight of two
 * parts takes no clamp, and makes s8 too. */
Value *byte_product(Node *at, const ByteProduct *p, Dtype t);

/* schema.c: arity, types and attributes against the version's row. In `sig`
 * the type of a port is a variable of `types`, a word of dtype.c, or `*`.
 * `axis:i!` is an attribute that must be there. */
void schema_check(Graph *g);
/* An operator that no record names, in a body that turned out to be used;
 * schema_check tells of those of the main graph. */
void schema_unknown(Node *n);
/* The types that port i may have, and its variable; 0: there is no port i. */
TypeSet schema_port(const OpDef *op, const OpRow *row, bool outputs, int i,
                    Str *type);
bool schema_has_attr(const OpDef *op, const OpRow *row, const char *name);
bool schema_types(Node *n); /* element types of inputs, as far as known */
void schema_list(FILE *f, Arena *a); /* all rows: ports, types, attributes */
/* upgrade.c: row by row to the newest form. The inputs are inferred, if they
 * are not bad. May put nodes before `n`, and remove it. */
void upgrade_node(Node *n);
void upgrade_graph(Graph *g); /* all of it, without inference */
/* passes/widen.c: n gives the elements of its first operand, and no others. */
bool node_moves_first(const Node *n);
#endif
