/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, and the commands that need no generated code. Part of ir.h,
 * which includes it.
 */
#ifndef O2C_OPTIONS_H
#define O2C_OPTIONS_H

/* options.c */
typedef struct { const char *name; int64_t v; } NameInt;
typedef struct { const char *name, *path; } NamePath;
struct Options {
  const char *print;            /* --list-ops: "list-ops"; NULL: a command */
  const char *command;          /* compile check info run verify bench edit */
  const char **models;
  int nmodel;
  const char *out, *header, *name, *cc, *cflags, *target, *provider;
  const char *weights, *weights_for, *section, *math, *threads, *save;
  const char *report, *dump_after, *tune, *emit_test, *package;
  const char *html, *times;     /* of info */
  const char **data;
  int ndata;
  NameInt *dim, *max_dim;
  int ndim, nmax_dim;
  NameInt *batch_axis;          /* --batch-axis IN=K; -1: none */
  int nbatch_axis;
  NamePath *custom;             /* --custom Domain.Op=FILE */
  int ncustom;
  int64_t batch, max_batch;     /* 0: dynamic, no limit */
  double rtol, atol;            /* < 0: not given */
  int level, runs, verbose;
  int way;                      /* of all choices, from 1; 0: the best one */
  int workers;                  /* --threads T; 0: not given */
  bool quiet, json, simple, bundle, emit_main, hooks;
  bool rows;                    /* verify --rows */
  bool make_batch;
  bool profile;                 /* bench --profile */
  const char *script;           /* edit --script */
  bool dry_run;                 /* edit --dry-run */
  bool tap;                     /* diff: steps tell what they write; tap.c */
  bool all;                     /* diff --all: go on behind a difference */
  int seed;                     /* of seeded data; 0: 1 */
  const char *fails;            /* reduce: the command */
};
void options_default(Options *o);
/* False after a message to stderr. */
bool options_parse(Options *o, Arena *a, int argc, char **argv);
void options_help(FILE *f);
bool provider_has(const Options *o, const char *name); /* --provider */
char *read_text(Arena *a, const char *path); /* a file; NULL: can't be read */
const char *option_nearest(const char *word); /* NULL: nothing is near */

/* driver.c, info.c; compile_model and compile_file stand in target.h */
ExitCode cmd_check(const Options *opt);
ExitCode cmd_info(const Options *opt);
/* edit/edit.c */
ExitCode cmd_edit(const Options *opt);
void edit_list(FILE *f); /* the steps of edit, with help */
const char *onnx2c_version(void);
void info_print(Model *m);
#endif
