/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folder, child processes and signals of the host commands.
 *
 * SIGINT, SIGTERM and SIGHUP are blocked while a command works, and taken from
 * the queue where we wait for children, so the folder is removed on every way
 * out without a handler or a global. A child is the leader of its own process
 * group: a timeout or a signal ends it with all its children. */
#include "host.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void stop_signals(sigset_t *s)
{
  sigemptyset(s);
  sigaddset(s, SIGINT);
  sigaddset(s, SIGTERM);
  sigaddset(s, SIGHUP);
}

bool host_open(Host *h, const Options *opt)
{
  memset(h, 0, sizeof *h);
  h->opt = opt;
  h->a.panic = &h->panic;
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  h->cpus = cpus < 1 ? 1 : cpus > 64 ? 64 : (int)cpus;
  sigset_t block;
  stop_signals(&block);
  sigaddset(&block, SIGCHLD);
  sigprocmask(SIG_BLOCK, &block, &h->mask);
  const char *tmp = getenv("TMPDIR");
  if (!tmp || !*tmp) tmp = "/tmp";
  size_t n = strlen(tmp) + 16;
  char *dir = malloc(n);
  if (dir) snprintf(dir, n, "%s/onnx2c-XXXXXX", tmp);
  if (!dir || !mkdtemp(dir)) {
    fprintf(stderr, "onnx2c: can't make a folder in %s: %s\n", tmp,
            strerror(errno));
    free(dir);
    sigprocmask(SIG_SETMASK, &h->mask, NULL);
    return false;
  }
  h->dir = dir;
  return true;
}

/* The folder is flat: nothing that runs in it makes folders. */
static void remove_folder(const char *dir)
{
  DIR *d = opendir(dir);
  if (!d) return;
  int fd = dirfd(d);
  for (struct dirent *e; (e = readdir(d));)
    if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
      unlinkat(fd, e->d_name, 0);
  closedir(d);
  rmdir(dir);
}

ExitCode host_close(Host *h, ExitCode code)
{
  remove_folder(h->dir);
  free((void *)(uintptr_t)h->dir);
  arena_free(&h->a);
  /* A stop signal that is still pending, or was taken, acts now. */
  if (h->stop) raise(h->stop);
  sigprocmask(SIG_SETMASK, &h->mask, NULL);
  return code;
}

static long long now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void proc_start(Host *h, Proc *p)
{
  posix_spawn_file_actions_t fa;
  posix_spawnattr_t at;
  posix_spawn_file_actions_init(&fa);
  posix_spawnattr_init(&at);
  posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&fa, 1, p->log,
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&fa, 1, 2);
  posix_spawnattr_setflags(&at,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setsigmask(&at, &h->mask);
  posix_spawnattr_setpgroup(&at, 0);
  pid_t pid = 0;
  int e = posix_spawnp(&pid, p->argv[0], &fa, &at, p->argv, environ);
  posix_spawn_file_actions_destroy(&fa);
  posix_spawnattr_destroy(&at);
  p->rc = -1;
  p->pid = 0;
  if (e) {
    fprintf(stderr, "onnx2c: can't run %s: %s\n", p->argv[0], strerror(e));
  } else {
    p->pid = pid;
    p->end = now_ms() + (long long)p->timeout * 1000;
  }
}

/* True when the process has ended. */
static bool proc_poll(Host *h, Proc *p)
{
  int st = 0;
  pid_t got = waitpid((pid_t)p->pid, &st, WNOHANG);
  if (!got && (h->stop || now_ms() >= p->end)) {
    p->timed_out = !h->stop;
    kill(-(pid_t)p->pid, SIGKILL);
    got = waitpid((pid_t)p->pid, &st, 0);
  }
  if (!got || (got < 0 && errno == EINTR)) return false;
  p->pid = 0;
  if (got < 0) p->rc = -1;
  else p->rc = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
  return true;
}

void proc_begin(Host *h, Proc *p)
{
  proc_start(h, p);
}

bool proc_going(Host *h, Proc *p)
{
  static const struct timespec now;
  sigset_t stop;
  stop_signals(&stop);
  int s = sigtimedwait(&stop, NULL, &now);
  if (s > 0) h->stop = s;
  return p->pid && !proc_poll(h, p);
}

void procs_run(Host *h, Proc *p, int n)
{
  sigset_t wait_for;
  stop_signals(&wait_for);
  sigaddset(&wait_for, SIGCHLD);
  int started = 0, running = 0;
  while (running || (started < n && !h->stop)) {
    while (started < n && running < h->cpus && !h->stop) {
      proc_start(h, &p[started]);
      running += p[started++].pid != 0;
    }
    for (int i = 0; i < started; i++)
      if (p[i].pid && proc_poll(h, &p[i])) running--;
    if (!running) continue;
    struct timespec slice = {0, 200 * 1000 * 1000};
    int s = sigtimedwait(&wait_for, NULL, &slice);
    if (s > 0 && s != SIGCHLD) h->stop = s;
  }
  for (int i = started; i < n; i++) p[i].rc = -1;
}

const char *host_file(Host *h, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  const char *name = arena_vprintf(&h->a, fmt, ap);
  va_end(ap);
  return arena_printf(&h->a, "%s/%s", h->dir, name);
}

bool host_write(const char *path, const void *p, size_t n)
{
  FILE *f = fopen(path, "wb");
  bool ok = f && fwrite(p, 1, n, f) == n;
  if (f && fclose(f)) ok = false;
  if (!ok) fprintf(stderr, "onnx2c: can't write %s: %s\n", path,
                   strerror(errno));
  return ok;
}

char *host_read(Arena *a, const char *path, size_t *n)
{
  FILE *f = fopen(path, "rb");
  long size = -1;
  if (f && !fseek(f, 0, SEEK_END)) size = ftell(f);
  char *p = NULL;
  if (size >= 0) {
    rewind(f);
    p = arena_alloc(a, (size_t)size + 1);
    *n = fread(p, 1, (size_t)size, f);
    if (*n != (size_t)size) p = NULL;
  }
  if (f) fclose(f);
  return p;
}

bool make_folder(const char *path)
{
  char *s = strdup(path);
  if (!s) return false;
  for (char *c = s + 1; *c; c++)
    if (*c == '/') {
      *c = 0;
      mkdir(s, 0777);
      *c = '/';
    }
  bool ok = !mkdir(s, 0777) || errno == EEXIST;
  if (!ok)
    fprintf(stderr, "onnx2c: can't make %s: %s\n", path, strerror(errno));
  free(s);
  return ok;
}
