/* SPDX-License-Identifier: Apache-2.0 */
/* The reference kernels and inference against test data, without generating
 * code: each model is imported, its inputs become constants, every node is
 * inferred and evaluated (compiler/eval.c), and the outputs are compared by the
 * rules of `onnx2c verify`.
 *
 *   eval_case [-f] [-s] CASE...    a CASE is a folder with model.onnx and
 *                                  test_data_set_*
 *   -f  also evaluate inputs' shapes as the model declares them, symbolic,
 *       before the data is put in: finds what inference can't do symbolically
 *   -s  print the failures and the counts only
 *
 * One line for each case: "pass", or "FAIL n: why", n being the exit code that
 * onnx2c would give (2 bad model, 3 not supported, 4 different, 6 crashed). The
 * program exits with the largest. Every case runs in its own process. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "host.h"

static bool symbolic_first, silent;

static void feed(Value *v, const Tensor *t)
{
  const Dim *dim[MAX_RANK];
  for (int i = 0; i < t->rank; i++)
    dim[i] = dim_int(&v->g->m->dims, t->dim[i]);
  value_set_shape(v, t->rank, dim);
  v->data = t;
}

static int told(const Model *m, const char *name)
{
  const Diag *d = m->diags;
  while (d && d->sev != SEV_ERROR) d = d->next;
  printf("FAIL %d: %s: %s\n", (int)diag_worst(m), name, d ? d->text : "");
  return (int)diag_worst(m);
}

/* Infers and evaluates the nodes from n to `end`; composites put their parts
 * in their place. */
static int evaluate_to(Model *m, Node *n, const Node *end, const char *name)
{
  while (n != end) {
    Node *before = n->prev;
    infer_node(n);
    if (diag_worst(m) == EXIT_OK && n->op && n->op->expand && !n->op->lower) {
      n->op->expand(n);
      n = before ? before->next : m->main->first;
      if (diag_worst(m) == EXIT_OK) continue;
    }
    if (diag_worst(m) != EXIT_OK) return told(m, name);
    if (!eval_node(n)) {
      printf("FAIL 3: %s: no reference for %s, or the data is refused\n", name,
             n->op_type);
      return EXIT_UNSUPPORTED;
    }
    n = n->next;
  }
  return EXIT_OK;
}

/* As infer_graph: what an upgrade makes stands before the node. */
static int evaluate(Model *m, const char *name)
{
  int r = EXIT_OK;
  for (Node *n = m->main->first, *next; n && r == EXIT_OK; n = next) {
    Node *before = n->prev;
    next = n->next;
    if (control_inline(n, &next) || sequence_inline(n, &next)) continue;
    if (diag_worst(m) != EXIT_OK) return told(m, name);
    upgrade_node(n);
    r = evaluate_to(m, before ? before->next : m->main->first, next, name);
  }
  return r;
}

static int compare(Model *m, const Options *opt, const Ports *p,
                   const DataSet *s, const char *name)
{
  Rule rule = rule_choose(&m->arena, opt, m);
  for (int i = 0; i < p->nout; i++) {
    Diff d;
    if (!s->want[i]) continue;
    d = tensor_compare(&m->arena, &rule, p->out[i]->data, s->want[i]);
    if (d.ok) continue;
    printf("FAIL 4: %s: output %d: %s\n", name, i, d.why);
    return EXIT_VERIFY;
  }
  return EXIT_OK;
}

static Model *prepare(const Options *opt, const char *path)
{
  Model *m = import_file(opt, path);
  if (diag_worst(m) == EXIT_OK) schema_check(m->main);
  return m;
}

static int run_set(const Options *opt, const char *path, const char *name,
                   int set)
{
  Model *m = prepare(opt, path);
  DataSet *s = NULL;
  Ports p;
  int n = 0, r;
  ports_find(&p, m);
  for (int i = 0; i < p.nin + p.nout; i++)
    if ((i < p.nin ? p.in[i] : p.out[i - p.nin])->kind != VK_TENSOR) {
      printf("FAIL 3: %s: an input or output is no tensor\n", name);
      return EXIT_UNSUPPORTED;
    }
  if (diag_worst(m) == EXIT_OK) s = data_load(&p, opt, &n);
  if (diag_worst(m) != EXIT_OK) return told(m, name);
  if (set >= n) return -1;
  for (int i = 0; i < p.nin; i++)
    if (s[set].in[i]) feed(p.in[i], s[set].in[i]);
  r = evaluate(m, name);
  ports_find(&p, m); /* a composite may have replaced an output */
  if (r == EXIT_OK) r = compare(m, opt, &p, &s[set], name);
  model_free(m);
  return r;
}

static int run_case(const char *dir)
{
  Options opt = {.command = "verify", .rtol = -1, .atol = -1};
  char path[4096];
  Model *m;
  int r = EXIT_OK;
  snprintf(path, sizeof path, "%s/model.onnx", dir);
  opt.models = (const char *[]){path};
  opt.nmodel = 1;
  if (symbolic_first) {
    m = prepare(&opt, path);
    if (diag_worst(m) == EXIT_OK) infer_graph(m->main);
    if (diag_worst(m) != EXIT_OK) return told(m, dir);
    model_free(m);
  }
  for (int set = 0; r == EXIT_OK; set++) r = run_set(&opt, path, dir, set);
  if (r == -1 && !silent) printf("pass: %s\n", dir);
  return r == -1 ? EXIT_OK : r;
}

static int run_apart(const char *dir)
{
  int status = 0;
  pid_t pid;
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    int r = run_case(dir);
    fflush(stdout);
    _exit(r);
  }
  if (pid < 0 || waitpid(pid, &status, 0) < 0) return EXIT_ENVIRONMENT;
  if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_ENVIRONMENT)
    return WEXITSTATUS(status);
  printf("FAIL 6: %s: crashed\n", dir);
  return 6;
}

int main(int argc, char **argv)
{
  int count[7] = {0}, worst = 0, first = 1;
  for (; first < argc && argv[first][0] == '-'; first++) {
    symbolic_first |= strchr(argv[first], 'f') != NULL;
    silent |= strchr(argv[first], 's') != NULL;
  }
  for (int i = first; i < argc; i++) {
    int r = run_apart(argv[i]);
    count[r]++;
    if (r > worst) worst = r;
  }
  printf("%d cases: %d pass, %d bad model, %d not supported, %d different, "
         "%d crashed\n", argc - first, count[0], count[2], count[3], count[4],
         count[6]);
  return worst;
}
