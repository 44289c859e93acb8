/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of runtime_min/o2c_tap.h: a program tells through a pipe what
 * its steps write, and waits while we work on it, so neither holds more than
 * one tensor. */
#include "host_diff.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool tap_open(Host *h, TapPipe *t, const char *program, const Job *job)
{
  const char *path = host_file(h, "jobs.tap");
  memset(t, 0, sizeof *t);
  t->h = h;
  unlink(path);
  t->fd = -1;
  if (!jobs_prepare(h, program, job, 1, &t->proc)) return false;
  /* Open for both, so that it never ends before the program does. */
  if (!mkfifo(path, 0600)) t->fd = open(path, O_RDWR | O_NONBLOCK);
  if (t->fd < 0) {
    fprintf(stderr, "onnx2c: can't make the pipe %s: %s\n", path,
            strerror(errno));
    return false;
  }
  proc_begin(h, &t->proc);
  return true;
}

static bool take(TapPipe *t, void *to, int64_t n)
{
  char *p = to;
  bool ended = false;
  while (n > 0) {
    ssize_t got = read(t->fd, p, n > 1 << 20 ? (size_t)1 << 20 : (size_t)n);
    if (got > 0) {
      p += got;
      n -= got;
      continue;
    }
    if (ended || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    struct pollfd wait = {.fd = t->fd, .events = POLLIN};
    if (poll(&wait, 1, 50) > 0) continue;
    ended = !proc_going(t->h, &t->proc); /* and what it wrote last? */
  }
  return true;
}

static int64_t take_word(TapPipe *t)
{
  int64_t v = 0;
  if (!take(t, &v, sizeof v)) t->broken = true;
  return v;
}

static bool take_payload(TapPipe *t, TapRecord *r, Tensor *x)
{
  int64_t bytes = take_word(t), size = dtype_info(x->dtype)->size;
  bool text = x->dtype == DT_STR;
  if (t->broken || bytes < 0 || (!text && bytes != x->n * size)) return false;
  int64_t padded = (bytes + 7) / 8 * 8;
  char *p = arena_alloc(&r->a, (size_t)padded + 8);
  if (!take(t, p, padded)) return false;
  x->data = p;
  return !text || take_strings(&r->a, x, p, bytes);
}

static bool take_tensor(TapPipe *t, TapRecord *r)
{
  int64_t dtype = take_word(t), rank = take_word(t);
  if (t->broken || dtype <= 0 || dtype >= DT_COUNT || rank < 0 ||
      rank > MAX_RANK)
    return false;
  Tensor *x = NEW(&r->a, Tensor, 1);
  x->dtype = (Dtype)dtype;
  x->rank = (int)rank;
  x->n = 1;
  for (int i = 0; i < rank; i++) {
    x->dim[i] = take_word(t);
    if (x->dim[i] < 0 || (x->dim[i] && x->n > INT64_MAX / 64 / x->dim[i]))
      return false;
    x->n *= x->dim[i];
  }
  r->t = x;
  return take_payload(t, r, x);
}

bool tap_next(TapPipe *t, TapRecord *r)
{
  char magic[8];
  memset(r, 0, sizeof *r);
  r->a.panic = &t->h->panic;
  if (t->fd < 0 || !take(t, magic, 8)) return false;
  t->broken = memcmp(magic, "O2CTAP01", 8) != 0;
  r->id = take_word(t);
  r->first = take_word(t);
  r->rows = take_word(t);
  if (!t->broken && take_tensor(t, r)) return true;
  t->broken = true;
  arena_free(&r->a);
  return false;
}

void tap_close(TapPipe *t)
{
  static const struct timespec slice = {0, 5 * 1000 * 1000};
  if (t->fd >= 0) close(t->fd); /* what still writes ends */
  t->fd = -1;
  while (proc_going(t->h, &t->proc)) nanosleep(&slice, NULL);
}
