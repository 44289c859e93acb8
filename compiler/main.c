/* SPDX-License-Identifier: Apache-2.0 */
/* The command: options, dispatch, exit code. Nothing else ends the process. */
#include "target.h"
#include <string.h>

static int list_ops(void)
{
  for (int i = 0; i < op_count(); i++) {
    const OpDef *op = op_at(i);
    if (op->flags & OP_INTERNAL) continue;
    printf("%-28s %-12s", op->name,
           op->domain && *op->domain ? op->domain : "ai.onnx");
    for (int k = 0; k < op->nrow; k++) printf(" %d", op->rows[k].since);
    printf("\n");
  }
  return EXIT_OK;
}

static int list_schemas(void)
{
  Arena arena = {0};
  schema_list(stdout, &arena);
  arena_free(&arena);
  return EXIT_OK;
}

static int list_passes(void)
{
  for (int i = 0; i < pass_count(); i++)
    printf("%-16s -O%d  %s\n", pass_at(i)->name, pass_at(i)->level,
           pass_at(i)->what);
  return EXIT_OK;
}

static int list_steps(void)
{
  edit_list(stdout);
  return EXIT_OK;
}

static int list_targets(void)
{
  levels_list(stdout);
  return EXIT_OK;
}

static int print(const char *what)
{
  if (!strcmp(what, "list-ops")) return list_ops();
  if (!strcmp(what, "list-schemas")) return list_schemas();
  if (!strcmp(what, "list-passes")) return list_passes();
  if (!strcmp(what, "list-steps")) return list_steps();
  if (!strcmp(what, "list-targets")) return list_targets();
  if (!strcmp(what, "version")) printf("onnx2c %s\n", onnx2c_version());
  else options_help(stdout);
  return EXIT_OK;
}

static ExitCode dispatch(const Options *o)
{
  if (!levels_known(o->target)) return EXIT_USAGE;
  if (!strcmp(o->command, "check")) return cmd_check(o);
  if (!strcmp(o->command, "info")) return cmd_info(o);
  if (!strcmp(o->command, "run")) return cmd_run(o);
  if (!strcmp(o->command, "verify")) return cmd_verify(o);
  if (!strcmp(o->command, "bench")) return cmd_bench(o);
  if (!strcmp(o->command, "edit")) return cmd_edit(o);
  if (!strcmp(o->command, "reduce")) return cmd_reduce(o);
  if (!strcmp(o->command, "diff")) return cmd_diff(o);
  if (build_wanted(o)) return cmd_build(o, o->models[0]);
  return compile_file(o, o->models[0]);
}

int main(int argc, char **argv)
{
  Arena arena = {0};
  Options o;
  int code = EXIT_USAGE;
  if (options_parse(&o, &arena, argc, argv))
    code = o.print ? print(o.print) : (int)dispatch(&o);
  arena_free(&arena);
  /* A full disk under `onnx2c check > file` is an error too. */
  if (fflush(stdout) && code == EXIT_OK) code = EXIT_ENVIRONMENT;
  return code;
}
