/* SPDX-License-Identifier: Apache-2.0 */
/* Code generation: what a provider is, the plan it writes, and every
 * prototype of codegen/, by file.
 *
 * A Plan is a list of Steps. A Step becomes one static C function whose
 * parameters are pointers (inputs, outputs, weights, scratch) and whose body
 * is a template macro of templates/c (G_<MACRO>), and one call of it in the
 * model's rows function. All numbers are computed here; m4 places text.
 *
 *   Step *s = step_new(p, n, "POOL");        -> templates/c/pool.m4: G_POOL
 *   step_in(s, "x", x); step_out(s, "y", y); -> const float *x, float *y
 *   step_int(s, "OH", 56);                   -> the macro G_OH is 56
 *   step_kernel(s, "pool_f32.h");            -> kernel text is pasted once
 */
#ifndef O2C_TARGET_H
#define O2C_TARGET_H
#include "ir.h"

typedef struct Plan Plan;
typedef struct Step Step;
typedef struct Tap Tap;
typedef struct Target Target;

typedef enum { SP_IN, SP_OUT, SP_SCRATCH } StepPtrKind;
typedef struct {
  StepPtrKind kind;
  const char *name;        /* of the C parameter */
  Value *v;                /* IN and OUT; a constant is a weight */
  Dtype dtype;
  const Dim *elements;     /* SCRATCH */
  int over;                /* OUT: pointer it may overwrite in place, or -1 */
  int slot;                /* SCRATCH: set by plan_memory */
  bool keeps_up;           /* IN: each element is read before the output's same
                              element is written, so both may be one tensor */
  bool lasts;              /* SCRATCH: nothing else stands there afterwards */
} StepPtr;
typedef struct { const char *key, *text; } StepVar; /* G_<key> is text */
typedef struct { const char *file; Dtype type; } RefUse;
/* A node that only Selects read as one operand is computed where that operand
 * is chosen: where `cond` is `on`, inside of `up`. Equal ones are one. */
typedef struct Guard {
  struct Guard *next;
  const struct Guard *up;  /* NULL: none */
  Value *cond;
  bool on;
  int depth;               /* 1: no `up` */
} Guard;
typedef enum { LOOP_NONE, LOOP_OPEN, LOOP_CLOSE } StepLoop;
struct Step {
  Step *next;
  Plan *plan;
  Node *node;
  const Guard *guard;      /* NULL: always runs */
  StepLoop loop;           /* begins a loop after it, or ends it; loop.c */
  int depth;               /* loops around it; it may be their begin or end */
  const char *macro;       /* "REF" is G_REF */
  const char *name;        /* C identifier: n12_conv1 */
  const char *kernel_note; /* "conv_f32 panel-16": for info and the banner */
  StepPtr *ptr;
  int nptr;
  StepVar *var;
  int nvar;
  const char **kernel;     /* files of runtime_min/kernels */
  int nkernel;
  RefUse *ref;             /* files of runtime_min/kernels/ref */
  int nref;
  const struct Custom *custom; /* whose function it calls; NULL: none */
  bool small;              /* inlined; its body must have no array of its own */
  bool status;             /* the function returns o2c_status */
  bool symbols;            /* the body uses `s`, the run-time dimensions */
  bool device;             /* its function stands in the .cu file */
  bool transfer;           /* a copy to or from the device; device.c */
  bool sizing;             /* on the CPU, for a node that a GPU runs */
  bool checks;             /* no output: it stays if the node's next one does */
  int *finds, nfinds;      /* capacities that it assigns; sizes.c */
  int *sizes, nsizes;      /* capacities that the body reads */
  int64_t macs;            /* multiplications with addition; 0: not counted */
  bool split;              /* its work may be divided: split.c */
  const char *total, *grain; /* C text: elements; least units of a range */
  int64_t unit;            /* elements */
  int64_t good;            /* units that a range should have if workers are few:
                              all its weights are read for them; 0: any */
};

/* Where a Value lives at run time. */
typedef enum {
  ST_NONE, ST_INPUT, ST_OUTPUT, ST_WEIGHT, ST_ARENA
} StoreKind;
typedef struct {
  StoreKind kind;
  int index;          /* of the input, output, weight or arena slot */
} Store;

/* A border around an image in its buffer: a convolution's padding, which the
 * step that writes the image fills. In pixels; `fill` is a byte value. */
typedef struct { int64_t top, left, bottom, right; int fill; } Halo;

/* A value that stands in another one's storage: its runs along the last axis
 * are `pitch` elements apart, or, where that is 0, follow each other. */
typedef struct {
  Value *whole;
  int64_t offset;     /* in elements, of its first one */
  int64_t pitch;
} Piece;

/* What a node moves: one call of the kernel `strided`. */
typedef struct { const Dim *n, *xs, *ys; } MoveAxis;
typedef struct {
  Value *x, *y;
  const Dim *xoff, *yoff;
  int rank;
  MoveAxis axis[2 * MAX_RANK];
} Move;
typedef struct {
  Move *move;
  int n;
  bool other;         /* the node does more than to move */
  bool checked;       /* of moves_checked */
} MoveList;

/* A piece of the workspace; its size is the largest of its tensors. */
typedef struct {
  const Dim **bytes;  /* of its tensors: those that may be the largest */
  int nbytes;
  int64_t max;        /* bytes, where constant */
  int64_t offset;     /* where every size is constant, or in units */
  const Dim *unit;    /* it lies `offset` of these into slot `whole` */
  int whole;
  int first, last;    /* life, in step numbers */
  bool device;        /* of the device's arena, not of the workspace */
} Slot;

/* One of several ways to compute a node, and what it should take. */
typedef struct { const char *name; double ns; } Way;
typedef struct {
  const Node *n;
  const char *key;         /* operation and shape */
  const Way *way;
  int nway, taken;
  bool told;               /* by --tune */
} Choice;

struct Plan {
  Model *m;
  Graph *g;
  Arena *a;
  const char *name;       /* C prefix, checked */
  Step *first, *last;
  int nstep;
  Guard *guards;           /* all of them; guard.c */
  const Guard *guard;      /* of the node that is being lowered */
  int depth;               /* loops around it */
  /* The batch law (batch.c): the graph runs over blocks of `block` rows of
   * symbol `batch`; block 0: the whole batch at once; batch -1: no such symbol
   * or samples mix (then `mixes` names the node). */
  int batch, block;
  const Dim *rows;        /* block, or less where other dimensions say so */
  const Node *mixes;
  /* The ABI as imported, before the batch symbol was given its block value. */
  Value **in, **out;
  const Dim ***in_dim, ***out_dim;
  const char **in_field, **out_field; /* C names */
  int *args, narg;        /* symbols that are run-time arguments, in order */
  int *found, nfound;     /* capacities: sizes that steps find; sizes.c */
  Choice *choice;         /* between kernels; choice.c */
  int nchoice;
  Map tuned;              /* --tune: key to name of the way */
  Map times;              /* --times: step's name to nanoseconds (double *) */
  /* Storage, by Value id. */
  Store *store;           /* of roots; see store_of */
  const Halo **halo;      /* by id, of values before lowering; see halo_find */
  int halo_values;
  const Piece **piece;    /* by id, of values before lowering; piece_find */
  int piece_values;
  bool *bordered;         /* by id of roots: a step fills the border already */
  const struct Strip **strip; /* by id, of what a stage of strips writes */
  int strip_values;
  Value **in_place;       /* what an output is stored over, or NULL */
  Value **weight;         /* constants that steps read, in order */
  int64_t *weight_offset; /* in the blob */
  uint64_t blob_hash;     /* 0: see weights_hash */
  char *buffer;           /* weights that are being made */
  int64_t weight_bytes;
  int nweight;
  Slot *slot;
  int nslot;
  bool splits;            /* some step is divided among threads */
  bool undivided;         /* what is lowered now is not; split.c */
  const Dim **room;       /* scratch of a further worker: the largest of them */
  int nroom;
  bool arena_static;      /* every slot has a constant size */
  int head_bytes;         /* before the arena: a worker's status, or 0 */
  int64_t arena_bytes;    /* one worker; where constant */
  int64_t arena_bound;    /* largest live set: no plan can need less */
  /* A GPU: device.c. */
  bool device;            /* some node runs there */
  bool *on_device;        /* by id, of values before lowering; constants: no */
  int device_values;
  int64_t device_bytes;   /* of the device's arena; where constant */
  int64_t device_bound;
  int64_t *device_weight; /* by number: where it lies there, or -1 */
  int64_t device_weight_bytes;
  int nregion;            /* runs of steps on the device; emit_cu.c */
  StrBuf regions;         /* their text */
  int nlibrary;           /* calls of cuDNN and cuBLASLt; numbers their plans */
  bool uses_blas, uses_dnn; /* which of them: opened at init */
  Tap *tap; int ntap;     /* of diff; in order of the steps */
  const struct Level **level; /* of --target, the least first; levels.c */
  int nlevel;             /* 0: the C compiler's flags say */
};

/* info_device.c: what info says of a GPU; nothing where there is none. */
void info_device_text(StrBuf *b, Plan *p);
void info_device_stays(StrBuf *b, const Plan *p); /* why steps are no GPU's */
void info_device_json(StrBuf *b, Plan *p);
void info_device_json_step(StrBuf *b, const Step *s);
const char *info_provider(const Step *s); /* "cpu", "cuda" or "copy" */

/* info_memory.c: the map of the workspace; text, JSON, and of one step. */
void info_memory_text(StrBuf *b, Plan *p);
void info_memory_json(StrBuf *b, Plan *p);
void info_memory_json_step(StrBuf *b, Plan *p, const Step *s);
const char *info_formula(Plan *p); /* bytes of the workspace: "64 + 4096*N" */
const char *info_room_text(Plan *p); /* .. and of further workers */
/* info_times.c: --times; false after a diagnostic, or: none is known. */
bool plan_times(Plan *p);
bool step_time(const Step *s, double *ns);
/* info_page.c: a report, which is JSON, as a page; false after a diagnostic. */
bool info_page(Model *m, const StrBuf *report, const char *path);

/* levels.c: instruction sets that a file holds code for; a row of levels.def */
typedef enum { LA_X86, LA_ARM64 } LevelArch;
typedef struct Level {
  const char *name, *suffix;
  LevelArch arch;
  const char *target, *have, *cpu, *of, *kernels, *what;
} Level;
void levels_list(FILE *f);
bool levels_none(const char *list);   /* --target gives none: NULL, native */
bool levels_known(const char *list);  /* false after a message to stderr */
void plan_levels(Plan *p);
void levels_shared(Map *done);        /* files that levels_top pastes */
void levels_top(const Plan *p, StrBuf *c);
/* The copies of kernels and steps, and the table of their rows functions. */
void levels_text(const Plan *p, const char *steps, StrBuf *c);

/* device.c: what runs on the GPU, and the copies in between. */
void plan_device(Plan *p);
/* The copy's step; false: n is none. */
bool lower_transfer(Plan *p, Node *n);
bool needs_device(const Node *n);
bool node_measures(const Node *n); /* it wants the shape of its input only */
/* A copy of v behind what makes it; before all nodes, where nothing does. */
Value *transfer_new(Plan *p, Value *v, bool device);
/* device_sizes.c: may a GPU run a node that finds sizes, as far as those go?
 * The node before it that reads what they are found from; then, when copies
 * have been made, the rest. */
bool device_may_size(const Plan *p, const Node *n);
Node *device_sizes(Plan *p, Node *n);
void device_sizes_end(Plan *p, Node *n);
bool lower_device_sizes(Plan *p, Node *n); /* false: n is no such node */
bool value_on_device(const Plan *p, const Value *v);
/* Refuses steps that --provider cuda alone does not run. */
void device_only(Plan *p);

void device_order(Plan *p); /* device_order.c: the CPU's nodes come early */

/* cut.c: the cheapest division of n vertices in two, 0 on one side and 1 on the
 * other; an edge costs what crosses it in its direction. */
typedef struct Cut Cut;
Cut *cut_new(Arena *a, int n);
void cut_edge(Cut *c, int from, int to, double cost);
void cut_solve(Cut *c);
bool cut_side(const Cut *c, int v);   /* true: that of vertex 1 */

/* sizes.c */
void plan_sizes(Plan *p);  /* found, and those of args that are capacities */
bool out_is_value(const Plan *p, int k); /* an o2c_value: its shape is found */
const char *value_kind(const Value *v);  /* "O2C_SEQUENCE" */
const char *value_type(Plan *p, const Value *v); /* for people */
/* What a pointer to the value points to: an o2c_value unless a tensor. */
const char *value_c_type(const Value *v);
/* A sequence or an optional value that is a graph output: stored as bytes, as
 * many as the caller gives room for. */
const Dim *value_room(Plan *p, Node *n, const char *output);
const char *sizes_type(const Plan *p);   /* of what `s` points to */
void sizes_struct(Plan *p, StrBuf *b);   /* that type */
void sizes_begin(Plan *p, StrBuf *b);    /* `s` at the start of the rows */
void sizes_end(Plan *p, StrBuf *b);      /* outputs' dims */
/* Appends C text that takes the number `found` for Node.size `size`: assigns
 * it, and checks that there is room; or compares, where `size` is no symbol. */
void step_take_size(Step *s, StrBuf *b, const Dim *size, const char *found);

/* batch.c: decides the law, and substitutes the block in all dims. */
void plan_batch(Plan *p);
/* memplan.c: storage of every Value that a Step touches. */
void plan_memory(Plan *p);
void plan_bound(Plan *p);               /* arena_bound, of constant sizes */
void place_slots(Plan *p);              /* place.c: offsets, arena_bytes */
void share_slots(Plan *p);              /* colour.c: of run-time sizes */
#define O2C_SLOT_BYTES(n) (((n) + 63) / 64 * 64)
Value *storage_root(const Plan *p, Value *v);
Store store_of(const Plan *p, Value *v); /* through views and in-place use */
/* weights.c: how the constants reach the program. */
/* How a weight's bytes are made from another tensor's, in parts of equal size,
 * as they are written: memory never holds them all. */
typedef struct Packing {
  void (*make)(const struct Packing *k, int64_t part, void *to);
  const Tensor *from;
  int64_t parts;
  int64_t arg[4];
} Packing;
typedef enum { WM_ARRAY, WM_STRING, WM_OBJECT, WM_INCBIN, WM_FILE } WeightMode;
WeightMode weights_mode(const Plan *p);       /* resolves auto */
int weights_add(Plan *p, Value *v);           /* its number; equal ones once */
/* C text that stands in the generated file before the steps. */
void weights_text(const Plan *p, WeightMode mode, StrBuf *c);
bool weights_in_blob(const Plan *p, WeightMode mode, int k);
/* C expression of weight k: "w12_conv1", or a cast offset into the blob. */
const char *weights_expr(const Plan *p, WeightMode mode, int k);
/* The side file of OBJECT, INCBIN and FILE, which is there and empty; false
 * after a diagnostic. */
bool weights_write(Plan *p, WeightMode mode, const char *path);
uint64_t weights_hash(Plan *p);         /* in the blob's header */
int64_t weights_align(int64_t size);    /* of a blob, on 64-bit machines */
/* elf.c: an object file's bytes before and after the blob. */
bool elf_begin(Model *m, FILE *f, const char *name, int64_t size);
bool elf_end(Model *m, FILE *f, const char *name, int64_t size);
#define WEIGHTS_HEADER 64 /* bytes before the first tensor of a FILE */

/* amalgam.c: kernel text, each file once, includes resolved. */
void amalgam_text(const Plan *p, StrBuf *c);
void amalgam_device(const Plan *p, StrBuf *c); /* of the .cu file */
void amalgam_custom(const Plan *p, StrBuf *c); /* files of --custom */
void amalgam_file(const Plan *p, const char *file, StrBuf *c); /* one */
const char *embedded_file(const char *name, size_t *n); /* NULL: no such file */

/* emit_h.c emit_c.c emit_run.c emit_tables.c: texts for the file templates. */
typedef struct {
  const char *source, *header, *side;   /* paths; side NULL: none */
  const char *device;                   /* the .cu file; NULL: none */
  const char *source_name, *header_name, *device_name;
  WeightMode mode;
} EmitFiles;
void emit_header_plan(Plan *p, StrBuf *plan, const EmitFiles *f);
void emit_source_plan(Plan *p, StrBuf *plan, const EmitFiles *f);
void emit_fits(Plan *p, StrBuf *plan);   /* emit_run.c */
void emit_run(Plan *p, StrBuf *plan);
/* emit_cu.c: the .cu file, after the source; and what model.c has of it. */
void emit_cu_plan(Plan *p, StrBuf *plan, const EmitFiles *f);
void emit_device(Plan *p, StrBuf *plan, const EmitFiles *f);
const char *device_runtime(int i); /* its files by number; NULL: no more */
const char *emit_device_size(Plan *p, const char *pre); /* bytes: C text */
bool region_goes_on(const Step *s, const Step *next); /* to next, behind s */
void emit_tables(Plan *p, StrBuf *plan, const EmitFiles *f);
void emit_names(Plan *p, StrBuf *plan, const EmitFiles *f);
void emit_set(StrBuf *plan, const char *key, const char *text);
void emit_set_buf(StrBuf *plan, const char *key, StrBuf *text); /* frees it */
const char *emit_safe(const Plan *p, const char *s); /* fit for a comment */
const char *emit_upper(const Plan *p);
const char *upper_text(Arena *a, const char *text);
void emit_keys(Plan *p, StrBuf *b); /* of outputs that are maps */
const char *emit_type(Plan *p, const Value *v); /* for comments */
const char *emit_shape(const Plan *p, int rank, const Dim *const *dim);
const char **emit_fields(Plan *p, const char *const *names, int n);
const char *emit_workspace(Plan *p, const char *pre);
void emit_slot_bytes(Plan *p, StrBuf *b, const Dim **bytes, int n,
                     const char *pre);
/* " + bytes" of each slot of the workspace, or of the device's arena. */
void emit_slots(Plan *p, StrBuf *b, bool device, const char *pre);
int64_t plan_workspace(const Plan *p); /* one worker; arena_static only */
const char *emit_simple_signature(Plan *p);
const char *emit_parameter(Plan *p, const char *field, const char *suffix);
const char *emit_fields_text(Plan *p, bool inputs);
const char *emit_provenance(Plan *p);
/* emit.c: plan -> m4 -> files, all or nothing. */
const char *plan_prefix(Model *m); /* --name, or made of the file's name */
const char *last_component(const char *path); /* the file's name alone */
ExitCode codegen_emit(Model *m);
Plan *plan_make(Model *m); /* for info and reports; NULL after errors */
/* tap.c: what a step writes, told to the program's o2c_tell (diff). */
struct Tap {
  const Step *step;
  int ptr;                /* the output, among the step's */
  Same same;              /* which tensor of the file's graph it is */
};
void plan_taps(Plan *p);  /* Plan.tap; their numbers are those of o2c_tell */
/* The calls behind step s, where `at` is the text of each of its pointers. */
void tap_text(const Plan *p, const Step *s, const char *const *at, StrBuf *b);
/* package.c: the files of runtime_min that this model needs, by number. */
const char *runtime_file(const Plan *p, int k);  /* NULL: no more */
/* --package: true where it is not wanted, or can be written; else false after
 * a diagnostic. */
bool package_possible(Plan *p, const EmitFiles *f);
void package_plan(Plan *p, StrBuf *plan, const EmitFiles *f);

/* compiler/info.c: what info says, of the plan of a compile: --report. */
void report_print(Plan *p, FILE *f);
/* m4.c: templates and a plan through m4; false after a diagnostic. */
bool m4_expand(Model *m, const StrBuf *plan, StrBuf *out);

/* driver.c: the whole pipeline for one file, to opt->out under opt->name.
 * Prints nothing: the model that comes back (never NULL) has the diagnostics */
Model *compile_model(const Options *opt, const char *path);
void compile_imported(Model *m); /* the same, after import; no --make-batch */
/* The plan that this writes, as the model's; *p stays where there is none. */
Model *plan_model(const Options *opt, const char *path, Plan **p);
/* compile_model, and prints the diagnostics. */
ExitCode compile_file(const Options *opt, const char *path);
/* host_*.c */
ExitCode cmd_run(const Options *opt);
ExitCode cmd_verify(const Options *opt);
ExitCode cmd_bench(const Options *opt);
ExitCode cmd_diff(const Options *opt);
ExitCode cmd_reduce(const Options *opt);
/* host_build.c: does -o name an object, archive or shared library? */
bool build_wanted(const Options *opt);
ExitCode cmd_build(const Options *opt, const char *path);

/* plan.c */
Step *step_new(Plan *p, Node *n, const char *macro);
void step_in(Step *s, const char *name, Value *v);
void step_out(Step *s, const char *name, Value *v);
/* The output may share the input's memory where the input dies here: the
 * step reads element i of the input before it writes element i, and never
 * again. Both are parameters already. */
void step_in_place(Step *s, const char *out, const char *in);
void step_keeps_up(Step *s, const char *in);
void step_scratch(Step *s, const char *name, Dtype t, const Dim *elements);
const char *step_var(const Step *s, const char *key); /* "": none */
void step_int(Step *s, const char *key, int64_t v);
void step_float(Step *s, const char *key, double v); /* "0.5f", "INFINITY" */
void step_dim(Step *s, const char *key, const Dim *d); /* may use symbols */
/* Our own C text only, never text of the model. */
void step_text(Step *s, const char *key, const char *fmt, ...) PRINTF(3, 4);
void step_kernel(Step *s, const char *file); /* of runtime_min/kernels */
void step_ref(Step *s, const char *file, Dtype t); /* of .../kernels/ref */
const char *step_dim_text(Step *s, const Dim *d); /* for step_text */

/* choice.c */
void plan_tune(Plan *p);   /* reads --tune */
int tune_read(Map *to, Arena *a, const char *path);
/* Which of the ways computes node n: index in way[]. The key has no tab. */
int plan_choose(Plan *p, const Node *n, const char *key, const Way *way,
                int nway);

/* cost.c: nanoseconds on the machine of cpu/costs.def. */
enum { COST_LEVELS = 3 };  /* columns of costs.def */
int cost_level(const Options *o);
const char *cost_level_name(const Options *o);
/* Of a step by template `macro`. */
double cost_ns(const Options *o, const char *macro, double macs, double bytes);
bool step_bytes(const Step *s, int64_t *bytes);
bool step_ns(const Step *s, double *ns); /* false: by run-time sizes */

/* A provider: cpu, later cuda. cpu/ref is the last and takes every node. */
struct Target {
  const char *name;
  bool (*supports)(const Plan *p, const Node *n);
  /* Would the node's step find `v`, which it reads or writes, at any step
   * between runs of its last axis? `border`: between its rows, too. */
  bool (*takes_strides)(const Plan *p, Node *n, const Value *v, bool border);
  /* Does one thread compute the node, which takes long? NULL: never. */
  bool (*by_one)(const Plan *p, const Node *n);
  /* Has it a step that finds the sizes of node n in data? Then of which type,
   * and how many elements, what that keeps for the node is. NULL: never. */
  bool (*finds)(const Plan *p, const Node *n, Dtype *t, const Dim **elements);
  /* Joins nodes that one kernel of it does, when it is known who runs what.
   * NULL: none. */
  void (*join)(Plan *p);
  void (*prepare)(Plan *p);             /* before any node is lowered */
  void (*lower)(Plan *p, Node *n);      /* appends Steps */
};
const Target *target_find(const char *name);
#define TARGET(name) extern const Target target_##name;
#include "targets.def"
#undef TARGET

/* split.c */
/* The step's work divides into `total` elements, which one by one cost `ticks`
 * and make units of `unit`; the last may be smaller. To be called when all its
 * pointers are known. Its body finds the range in `from` and `to`. */
void step_split(Step *s, const Dim *total, int64_t unit, const Dim *ticks);
/* By rows of `row` elements; `ticks` an element. ROW: G_FROM_ROW's. */
void step_split_rows(Step *s, const Dim *rows, const Dim *row, int ticks);
bool split_pays(Plan *p, const Dim *total, const Dim *ticks);
/* What an operation costs, in ticks. */
enum { TICKS_MAC = 3, TICKS_MAC_U8 = 1, TICKS_BYTE = 8,
       TICKS_EW = 15, TICKS_EXP = 50 };
bool plan_threads(const Plan *p);       /* not --threads none */
int split_workers(const Plan *p);       /* that steps are divided for */
bool split_most(const Plan *p);
const Dim *split_room(const Step *s, int end);
void plan_room(Plan *p);
/* emit_split.c */
const char *emit_room(Plan *p, const char *pre); /* bytes: C text */
void emit_split_types(Plan *p, StrBuf *plan);
void emit_split_open(const Step *s, StrBuf *b);  /* parameters to pointers */

/* partition.c */
const Target *target_of(const Plan *p, const Node *n); /* NULL: none */
void lower_graph(Plan *p);
/* The value whose storage a chain of views shares; itself if no view. */
Value *value_root(Value *v);

/* piece.c */
void plan_pieces(Plan *p, const Guard **guard);
const Piece *piece_find(const Plan *p, const Value *v); /* NULL: none */
bool moves_of(Node *n, MoveList *m); /* false: it does something else */
/* The same of any operator, BitCast too, where another step checks. */
bool moves_checked(Node *n, MoveList *m);
/* Axes in the order of the output, as few as possible. */
void move_tidy(DimPool *d, Move *v);
bool piece_stands(const Plan *p, const Move *m); /* nothing has to be moved */
Value *stored_in(const Plan *p, Value *v); /* through views and pieces */
int64_t stored_at(const Plan *p, Value *v); /* its first element there */
int64_t stored_pitch(const Plan *p, Value *v); /* 0: its elements follow */
int64_t stored_pixel(const Plan *p, Value *v); /* from run to run; -1 */
/* Elements between neighbours, as stored: with pitch and border. */
void stored_strides(const Plan *p, Value *v, const Dim **stride);

/* loop.c */
void plan_loops(Plan *p);               /* before sizes are looked for */
/* For each of the graph's `count` nodes, in order, the number of the LoopEnd
 * that it stands before, in the same loop; -1: in no loop. */
int *plan_homes(Plan *p, int count);
bool lower_loop(Plan *p, Node *n);      /* false: it is neither begin nor end */
/* Lives in step numbers, as loops need them: last[], and begin[] (may be NULL,
 * or the same list as first). */
void loops_extend(Plan *p, int count, const int *first, int *last, int *begin);

/* guard.c: the guard of each node of the graph, in order. */
const Guard **plan_guards(Plan *p);

/* ref.c: any node by its reference kernels; the last resort of every target. */
void lower_ref(Plan *p, Node *n);
/* The first `most` calls of reference kernels that the node's record makes, for
 * who has better code for them; returns how many there are. */
int node_calls(const Plan *p, const Node *n, Call *call, int most);
void lower_sizes(Plan *p, Node *n); /* the calls of OpDef.sizes, as a step */
/* The same calls by one thread of a GPU, of nodes that are small enough. */
bool ref_fits_thread(const Plan *p, Node *n);
void lower_ref_thread(Plan *p, Node *n);
void lower_checks_thread(Plan *p, Node *n); /* those of kernels check_.. only */
/* cpu/halo.c */
void plan_halos(Plan *p);
const Halo *halo_find(const Plan *p, const Value *v); /* NULL: none */
/* Elements with the border; its first pixel, from its pointer. */
const Dim *halo_elements(const Plan *p, const Halo *h, const Value *v);
const Dim *halo_start(const Plan *p, Value *v);
/* cpu/strip.c: which convolutions run by strips of rows, after plan_halos. */
void plan_strips(Plan *p);
#define STRIP_STAGES 6 /* at most */
/* cpu/: each takes the node, writing its steps, or returns false. */
bool lower_copy(Plan *p, Node *n);
bool lower_pack(Plan *p, Node *n);
bool lower_bf16(Plan *p, Node *n);
bool lower_strip(Plan *p, Node *n);
bool lower_winograd_f32(Plan *p, Node *n);
bool lower_conv_f32(Plan *p, Node *n);
bool lower_deconv_f32(Plan *p, Node *n);
bool lower_dense_f32(Plan *p, Node *n);
bool lower_gemm_f32(Plan *p, Node *n);
bool lower_matmul_f32(Plan *p, Node *n);
bool lower_attention_f32(Plan *p, Node *n);
bool lower_linear_f32(Plan *p, Node *n);
bool lower_conv_u8(Plan *p, Node *n);
bool lower_gemm_u8(Plan *p, Node *n);
bool lower_pool_tuned(Plan *p, Node *n);
bool lower_norm_f32(Plan *p, Node *n);
bool lower_lrn_f32(Plan *p, Node *n);
bool lower_recurrent_f32(Plan *p, Node *n);
bool lower_lstm_u8(Plan *p, Node *n);
bool lower_softmax_f32(Plan *p, Node *n);
bool lower_topk_f32(Plan *p, Node *n);
bool lower_svm_f32(Plan *p, Node *n);
bool lower_distance_f32(Plan *p, Node *n);
bool lower_fft_f32(Plan *p, Node *n);
/* G_XS .. G_OUTS: where rows along the axis of a DFT lie, and what they have
 * and get; the elements behind that axis. */
const Dim *step_dft_rows(Step *s, const DftShape *f);
bool lower_trees(Plan *p, Node *n);
bool lower_reduce_f32(Plan *p, Node *n);
bool lower_dynamic_quantize(Plan *p, Node *n);
bool lower_table_u8(Plan *p, Node *n);
bool lower_add_u8(Plan *p, Node *n);
bool lower_resize(Plan *p, Node *n);
bool lower_transpose(Plan *p, Node *n);
bool lower_move(Plan *p, Node *n);
bool lower_pick(Plan *p, Node *n);
/* cpu/pick.c: axes of a call of `pad`, as few as possible; `unit` elements at
 * the end of each row are never padded. `constant`: of that mode. */
typedef struct {
  int rank;
  const Dim *dim[MAX_RANK], *begin[MAX_RANK], *end[MAX_RANK], *unit;
} Padded;
void pad_axes(DimPool *d, const Call *c, bool constant, Padded *v);
bool math_is_fast(const Plan *p); /* cpu/bf16.c: --math fast */
/* cpu/panels.c: weights of `size` elements, made as they are written. */
Value *value_packed(Node *n, const char *hint, Dtype type, int64_t size,
                    Packing k);
/* cuda/target.c */
Step *device_step(Plan *p, Node *n, const char *macro);
/* G_INDEX: int32_t where so many elements can be counted by it. */
void device_index(Step *s, const Dim *count);
/* cpu/ew.c: elementwise nodes and fused chains; by the threads of a grid, of
 * those that ew_takes. */
void lower_ew_grid(Plan *p, Node *n);
bool ew_takes(Node *n);
/* Is node n computed of v and numbers, element by element, in v's type? Then
 * the step that makes v may do it, too: G_THEN, lines that make `made` of the
 * float `sum`. */
bool ew_follows(Node *n, const Value *v);
void ew_put_then(Step *s, Node *n);
bool lower_elementwise(Plan *p, Node *n);
#endif
