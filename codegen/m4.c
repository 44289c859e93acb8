/* SPDX-License-Identifier: Apache-2.0 */
/* Runs GNU m4 over base.m4, all templates and a plan.
 *
 * Input and output are unlinked temporary files, so that neither side can
 * block on a pipe. The environment is cut down to PATH and LC_ALL=C, and what
 * comes back is searched for words of ours that were left unexpanded.
 */
#include "target.h"

#include <ctype.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const templates[] = {
  "templates/base.m4", "templates/file.c.m4", "templates/file.h.m4",
  "templates/file.cu.m4", "templates/package.m4",
#define TEMPLATE(file) "templates/c/" #file ".m4",
#define CUDA_TEMPLATE(file) "templates/cuda/" #file ".m4",
#include "templates.def"
#undef TEMPLATE
#undef CUDA_TEMPLATE
};

static void environment_error(Model *m, const char *what)
{
  diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT, "%s: %s", what, strerror(errno));
}

/* A file that has no name any more; -1 after a diagnostic. */
static int scratch_file(Model *m)
{
  const char *dir = getenv("TMPDIR");
  char *path = arena_printf(&m->arena, "%s/onnx2c.XXXXXX",
                            dir && *dir ? dir : "/tmp");
  int fd = mkstemp(path);
  if (fd < 0)
    environment_error(m, path);
  else
    unlink(path);
  return fd;
}

static bool write_all(int fd, const char *p, size_t n)
{
  while (n > 0) {
    ssize_t k = write(fd, p, n);
    if (k < 0 && errno == EINTR)
      continue;
    if (k <= 0)
      return false;
    p += k;
    n -= (size_t)k;
  }
  return true;
}

static bool read_all(int fd, StrBuf *out)
{
  char buf[65536];
  if (lseek(fd, 0, SEEK_SET) < 0)
    return false;
  for (;;) {
    ssize_t k = read(fd, buf, sizeof buf);
    if (k < 0 && errno == EINTR)
      continue;
    if (k < 0)
      return false;
    if (k == 0)
      return true;
    sb_write(out, buf, (size_t)k);
  }
}

static bool write_input(int fd, const StrBuf *plan)
{
  for (int i = 0; i < COUNT(templates); i++) {
    size_t n;
    const char *text = embedded_file(templates[i], &n);
    if (!text || !write_all(fd, text, n))
      return false;
  }
  return write_all(fd, plan->s, plan->n) && lseek(fd, 0, SEEK_SET) == 0;
}

static int spawn_m4(const char *m4, const int fd[3], pid_t *pid)
{
  char path[4096];
  const char *have = getenv("PATH");
  snprintf(path, sizeof path, "PATH=%s", have ? have : "/usr/bin:/bin");
  char *argv[] = { (char *)m4, (char *)"-P", (char *)"-E", (char *)"-E",
                   (char *)"-", NULL };
  char *envp[] = { path, (char *)"LC_ALL=C", NULL };
  posix_spawn_file_actions_t act;
  posix_spawn_file_actions_init(&act);
  for (int i = 0; i < 3; i++)
    posix_spawn_file_actions_adddup2(&act, fd[i], i);
  int err = posix_spawnp(pid, m4, &act, NULL, argv, envp);
  posix_spawn_file_actions_destroy(&act);
  return err;
}

static bool run_m4(Model *m, const int fd[3])
{
  const char *m4 = getenv("M4");
  if (!m4 || !*m4)
    m4 = "m4";
  pid_t pid;
  errno = spawn_m4(m4, fd, &pid);
  if (errno) {
    diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT,
               "can't run '%s' (%s): install GNU m4, or name it in the "
               "environment variable M4", m4, strerror(errno));
    return false;
  }
  int st;
  while (waitpid(pid, &st, 0) < 0)
    if (errno != EINTR)
      return false;
  if (WIFEXITED(st) && WEXITSTATUS(st) == 0)
    return true;
  StrBuf said;
  sb_init(&said, &m->arena);
  read_all(fd[2], &said);
  diag_model(m, SEV_ERROR, EXIT_ENVIRONMENT,
             "'%s' failed on a template; GNU m4 1.4.6 or later is needed: %.*s",
             m4, said.n > 400 ? 400 : (int)said.n, said.n ? said.s : "");
  sb_free(&said);
  return false;
}

/* A word that starts with G_<upper> or m4_ should have been expanded. */
static const char *leftover(const StrBuf *b)
{
  bool inside = false;
  for (size_t i = 0; i + 3 < b->n; i++) {
    const char *s = b->s + i;
    bool word = isalnum((unsigned char)*s) || *s == '_';
    if (word && !inside &&
        ((s[0] == 'G' && s[1] == '_' && isupper((unsigned char)s[2])) ||
         (s[0] == 'm' && s[1] == '4' && s[2] == '_')))
      return s;
    inside = word;
  }
  return NULL;
}

bool m4_expand(Model *m, const StrBuf *plan, StrBuf *out)
{
  int fd[3] = { scratch_file(m), scratch_file(m), scratch_file(m) };
  bool ok = fd[0] >= 0 && fd[1] >= 0 && fd[2] >= 0;
  if (ok && !write_input(fd[0], plan)) {
    environment_error(m, "writing the plan for m4");
    ok = false;
  }
  ok = ok && run_m4(m, fd);
  if (ok && !read_all(fd[1], out)) {
    environment_error(m, "reading what m4 wrote");
    ok = false;
  }
  for (int i = 0; i < 3; i++)
    if (fd[i] >= 0)
      close(fd[i]);
  const char *word = ok ? leftover(out) : NULL;
  if (word)
    model_panic(m, "a template left '%.30s' unexpanded", word);
  return ok;
}
