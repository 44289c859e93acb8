/* SPDX-License-Identifier: Apache-2.0 */
/* The host commands run, verify and bench: their types, and every prototype of
 * host_*.c, by file.
 *
 * A command compiles its models into a temporary folder, builds one program
 * from them and runtime_min/o2c_driver.c, writes a job file, runs the program
 * as a child and reads the result file. */
#ifndef O2C_HOST_H
#define O2C_HOST_H
#include <signal.h>
#include "target.h"

typedef struct {
  const Options *opt;
  Arena a;
  jmp_buf panic;
  const char *dir;      /* temporary, removed at the end */
  char **cc;            /* compiler and flags, NULL at the end */
  char **nvcc;          /* the same, for .cu files; NULL: not asked for yet */
  bool have_device;     /* o2c_cuda.o is in dir */
  const char *cross;    /* the compiler's machine where it is not ours */
  char **runner;        /* what runs a program: emulator and options, or none */
  int cpus;
  bool have_driver;     /* compiled already, in dir */
  char **image_link;    /* host_image.c; NULL: not looked for yet */
  int stop;             /* the signal that asks us to end, or 0 */
  sigset_t mask;        /* the caller's */
} Host;

/* host_proc.c: temporary folder, child processes, signals. */
typedef struct {
  char **argv;
  const char *log;      /* file that takes stdout and stderr */
  int timeout;          /* seconds */
  int rc;               /* exit code; 128 + signal; -1 not started */
  bool timed_out;
  long long pid, end;   /* private */
} Proc;
bool host_open(Host *h, const Options *opt);
ExitCode host_close(Host *h, ExitCode code); /* removes the folder */
void procs_run(Host *h, Proc *p, int n);     /* as many at once as CPUs */
void proc_begin(Host *h, Proc *p);           /* one, beside which we work */
bool proc_going(Host *h, Proc *p);           /* false: it has ended */
const char *host_file(Host *h, const char *fmt, ...) PRINTF(2, 3);
bool host_write(const char *path, const void *p, size_t n);
char *host_read(Arena *a, const char *path, size_t *n); /* NULL: can't */
bool make_folder(const char *path);          /* with those above it */

/* host_cc.c: the C compiler, and a program made of some models. */
typedef struct {
  const char *prefix;   /* of the model's symbols; file <prefix>.c in dir */
  const char *object;   /* a second object file to link, or NULL */
  bool image;           /* it has an ImageDecoder */
  bool device;          /* file <prefix>.cu, too */
  bool broken;          /* the compiler refused it: left out */
  const char *log;
} Unit;
bool cc_choose(Host *h);
/* NULL: no program; messages are printed. Broken units are marked. */
const char *cc_build(Host *h, Unit *u, int n, int serial);
void host_print_log(const char *path, const char *what); /* to stderr */

/* host_image.c: ImageDecoder by libraries. */
bool image_hook_own(const Host *h); /* --cflags name a hook */
/* True where there is a library: image_link then holds what to link. */
bool image_hook(Host *h);

/* host_data.c: test data beside a model, and seeded data. */
typedef struct {
  const char *name, *path; /* of the folder; "seeded" */
  const Tensor **in;       /* one for each input, NULL: absent */
  const Tensor **want;     /* one for each output, NULL: not given */
  int64_t status;          /* what the run must return: O2C_OK, or an error */
} DataSet;
typedef struct {
  Model *m;                /* as imported */
  Value **in, **out;       /* ports */
  int nin, nout;
  const struct BatchPort *in_rows, *out_rows; /* of --make-batch; else NULL */
} Ports;
void ports_find(Ports *p, Model *m);
/* Folders with input_<j>.pb: of --data, else test_data_set_* beside the model.
 * Errors are diagnostics of p->m. */
DataSet *data_load(const Ports *p, const Options *opt, int *n);
typedef struct { const char *name; int64_t v; } Size;
/* Inputs from a generator that starts at `seed`; symbols take their sizes from
 * `size`, other symbols are 1. */
DataSet *data_seeded(const Ports *p, const Size *size, int nsize,
                     uint64_t seed);

/* host_job.c: the files through which the driver is told and tells. */
/* Lengths, then all characters, as elements of t. */
bool take_strings(Arena *a, Tensor *t, const char *p, int64_t bytes);
enum { JR_DONE, JR_STATUS, JR_KILLED, JR_TIMEOUT, JR_EXITED, JR_MISFIT,
       JR_OVERRUN, JR_MISSING };
typedef struct {
  int unit;                /* index of the model in the program */
  int64_t times;           /* 0: once, keep outputs; -1: by the clock */
  const Tensor *const *in;
  int nin;
  bool profile;            /* times of steps as outputs: o2c_driver.c */
} Job;
typedef struct {
  int kind;
  int64_t detail, workspace;
  const int64_t *ps, *dim;
  int nps, ndim, nout;
  const Tensor **out;
  const char *log;         /* what the child printed */
} Result;
/* Runs all jobs; the arena holds results. NULL: no result file (printed). */
Result *jobs_run(Host *h, Arena *a, const char *program, const Job *job, int n);
/* The same in two parts: the program that does them, and what it has done. */
bool jobs_prepare(Host *h, const char *program, const Job *job, int n, Proc *p);
Result *jobs_results(Host *h, Arena *a, const Proc *p, int n);
const char *result_text(Arena *a, const Result *r); /* of a failure */
int64_t status_find(const char *name); /* "O2C_E_DATA"; 1: no status */

/* host_compare.c */
typedef struct {
  double rtol, atol;
  double share;            /* atol is at least this share of max |want| */
  const char *from;        /* where the rule comes from */
  bool fixed;              /* rtol is the same for every type */
  bool quantised;          /* the model rounds to 8 bits */
  int steps;               /* by which 8-bit integers may differ */
} Rule;
typedef struct {
  bool ok, numeric;        /* numeric: the maxima below mean something */
  double max_abs, max_rel;
  double max_ulp;
  int64_t bad, at;         /* wrong elements, index of the first */
  const char *why;         /* when not ok */
} Diff;
Rule rule_choose(Arena *a, const Options *opt, const Model *m);
const char *rule_text(Arena *a, const Rule *r);
Diff tensor_compare(Arena *a, const Rule *r, const Tensor *got,
                    const Tensor *want);

/* host_ref.c: the graph by reference kernels, node by node. */
typedef struct {
  Model *m;
  Node *next;              /* that comes next */
  Value **at;              /* by id of the file: it has been computed, or could
                              not be (then it has no data) */
  int *wanted;             /* by id: how many will ask for it; NULL: nobody */
  struct Hold **hold, *holds; /* memory of tensors, by Value.id; all of it */
  int nhold;
  bool keeps;              /* nothing is freed */
  bool failed;             /* m has diagnostics */
  Node *node;              /* the one that went last, maybe out of the graph */
  bool known;              /* it could be computed */
  const char *why;         /* the first operator that could not; NULL: none */
} Reference;
/* The model with these inputs, one for each port. m is there in any case. */
bool reference_open(Reference *r, const Options *opt, const char *path,
                    const Tensor *const *in, int nin);
bool reference_begin(Reference *r);
bool reference_step(Reference *r); /* false: there is no more */
Value *reference_value(Reference *r, int id); /* goes on up to it; or NULL */
/* v holds t from now on, which lives in *a. */
void reference_put(Reference *r, Value *v, const Tensor *t, Arena *a);
void reference_settle(Reference *r, Value *v); /* frees it if unwanted */
void reference_close(Reference *r);
const Tensor *tensor_copy(Arena *a, const Tensor *t);
/* The whole graph; false: it can't. */
bool reference_run(const Options *opt, const char *path, const Ports *p,
                   DataSet *s, const char **why);

/* host_case.c: one model of a command, from its file to its results. */
typedef struct {
  const char *path, *name; /* the file; for people: the folder or file */
  Ports ports;
  Rule rule;
  DataSet *set;
  int nset;
  bool seeded;
  ExitCode code;           /* EXIT_OK until something goes wrong */
  const char *why;         /* one line */
  Unit unit;
  int first_job, njob;
} Case;
/* Imports c->path and compiles it. Diagnostics are printed if `loud`. */
void case_open(Host *h, Arena *a, Case *c, int serial, bool loud);
void case_close(Case *c);
const char **cases_find(Host *h, int *n); /* from opt->models, sorted */
bool case_save(const char *folder, const Ports *p, const Result *r);

/* host_profile.c: the times of steps in `r`; false: they are not there. */
bool profile_print(Host *h, const Options *compiled, const Case *c,
                   const Result *r);

/* host_tune.c: measures all ways of all choices, and writes opt->tune. */
ExitCode bench_tune(Host *h, const Options *compiled, const Case *c,
                    const Tensor *const *in);

/* host_rows.c: is row i the same at any batch size, bit for bit? */
Job *rows_jobs(Arena *a, const Case *c, int unit, int *n, const char **why);
/* NULL: equal */
const char *rows_check(Arena *a, const Case *c, const Result *r, int n);
const char *rows_sizes(const Case *c); /* for people */

#endif
