/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: messages and runs become a file again.
 *
 * A message's fields are written in the order of their numbers, as protobuf's
 * own writers do; records that no message holds (payloads, unknown fields) are
 * copied from where they stand. The lengths are found first, in the order of
 * writing. Weights go from the map to the file by pieces, whose pages are given
 * back, so memory does not grow with them; holes of a file stay holes. */
#if defined __linux__
#define _GNU_SOURCE /* madvise, SEEK_DATA */
#endif
#include "save.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef const ProtobufCFieldDescriptor FieldDesc;
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_32 = 5 };

typedef struct {
  Edit *e;
  uint64_t *size;        /* of messages, in the order of writing */
  int n, at;
  Sink *to;              /* NULL: lengths are being found */
} Writer;

/* --- Files ---------------------------------------------------------------- */

#define BUFFER ((size_t)1 << 18)
#define PIECE ((size_t)1 << 22)

static bool sink_fail(Sink *s)
{
  if (!s->error) s->error = errno ? errno : EIO;
  return false;
}

static void write_all(Sink *s, const uint8_t *p, size_t n)
{
  while (n && !s->error) {
    ssize_t k = write(s->fd, p, n);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) sink_fail(s);
    else {
      p += k;
      n -= (size_t)k;
    }
  }
}

static void flush(Sink *s)
{
  if (s->n) write_all(s, s->buf, s->n);
  s->n = 0;
}

/* Pages of a map that were read are given back: they are the file's. */
static void drop_pages(const uint8_t *p, size_t n)
{
#if defined __linux__
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
  uintptr_t to = ((uintptr_t)p + n) / page * page;
  if (to > from) madvise((void *)from, to - from, MADV_DONTNEED);
#else
  (void)p;
  (void)n;
#endif
}

static const FileMap *map_of(const Edit *e, const uint8_t *p, size_t n)
{
  for (const FileMap *f = e->im->maps; f; f = f->next)
    if (f->n && (uintptr_t)p >= (uintptr_t)f->p &&
        (uintptr_t)p + n <= (uintptr_t)f->p + f->n)
      return f;
  return NULL;
}

/* The file of a map, opened once more to ask where its holes are. */
static int open_holes(Sink *s, const FileMap *f)
{
  struct stat st;
  if (s->from == f) return s->holes;
  if (s->holes >= 0) close(s->holes);
  s->from = f;
  s->holes = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (s->holes < 0) return -1;
  if (!fstat(s->holes, &st) && (uint64_t)st.st_dev == f->device &&
      (uint64_t)st.st_ino == f->inode && (size_t)st.st_size == f->n)
    return s->holes;
  close(s->holes);
  return s->holes = -1;
}

/* How much of the map from `at` on is data; *hole: what is no data before. */
static size_t next_data(Sink *s, const FileMap *f, size_t at, size_t n,
                        size_t *hole)
{
  *hole = 0;
#if defined SEEK_DATA
  int fd = open_holes(s, f);
  if (fd < 0) return n;
  off_t data = lseek(fd, (off_t)at, SEEK_DATA);
  if (data < 0) data = errno == ENXIO ? (off_t)(at + n) : (off_t)at;
  if ((size_t)data - at >= n) {
    *hole = n;
    return 0;
  }
  *hole = (size_t)data - at;
  off_t end = lseek(fd, data, SEEK_HOLE);
  size_t left = n - *hole;
  return end > data && (size_t)(end - data) < left ? (size_t)(end - data)
         : left;
#else
  (void)s;
  (void)f;
  (void)at;
  return n;
#endif
}

/* By the system, which may share the blocks; how much it did. */
static size_t copy_range(Sink *s, size_t at, size_t n)
{
  size_t done = 0;
#if defined __linux__
  while (s->holes >= 0 && done < n) {
    off_t from = (off_t)(at + done);
    ssize_t k = copy_file_range(s->holes, &from, s->fd, NULL, n - done, 0);
    if (k <= 0) break; /* not between these files: write it */
    done += (size_t)k;
  }
#else
  (void)s;
  (void)at;
  (void)n;
#endif
  return done;
}

static void write_map(Sink *s, const FileMap *f, const uint8_t *p, size_t n)
{
  while (n && !s->error) {
    size_t hole, at = (size_t)(p - (const uint8_t *)f->p);
    size_t k = next_data(s, f, at, n, &hole);
    if (hole && lseek(s->fd, (off_t)hole, SEEK_CUR) < 0) sink_fail(s);
    p += hole;
    for (size_t i = k ? copy_range(s, at + hole, k) : 0;
         i < k && !s->error; i += PIECE) {
      size_t part = k - i < PIECE ? k - i : PIECE;
      write_all(s, p + i, part);
      drop_pages(p + i, part);
    }
    p += k;
    n -= hole + k;
  }
}

void sink_write(Sink *s, const void *data, size_t n)
{
  const uint8_t *p = data;
  s->total += n;
  if (s->hash) {
    *s->hash = hash_bytes(p, n, *s->hash);
    return;
  }
  if (s->sha) {
    sha256_add(s->sha, p, n);
    return;
  }
  if (n <= BUFFER - s->n) {
    if (n) memcpy(s->buf + s->n, p, n);
    s->n += n;
    return;
  }
  flush(s);
  const FileMap *f = map_of(s->e, p, n);
  if (f) write_map(s, f, p, n);
  else write_all(s, p, n);
}

bool sink_open(Sink *s, Edit *e, const char *path)
{
  struct stat st;
  bool there = stat(path, &st) == 0;
  *s = (Sink){.e = e, .fd = -1, .path = path, .holes = -1};
  /* A rename would put a file in the place of a folder or a device. */
  if (there && !S_ISREG(st.st_mode))
    return edit_fail(e, EXIT_ENVIRONMENT, "%s is no regular file: name a file "
                     "to write", Q(e, path));
  /* Not mkstemp, as its mode would ask for umask(), which is the process's. */
  for (int k = 0; k < 100 && s->fd < 0; k++) {
    s->tmp = arena_printf(e->a, "%s.%ld.%d", path, (long)getpid(), k);
    s->fd = open(s->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->fd < 0 && errno != EEXIST) break;
  }
  if (s->fd < 0) {
    s->tmp = NULL; /* not ours */
    return edit_fail(e, EXIT_ENVIRONMENT, "%s can't be written: %s",
                     Q(e, path), strerror(errno));
  }
  if (there && fchmod(s->fd, st.st_mode & 0777)) sink_fail(s);
  s->buf = arena_alloc(e->a, BUFFER);
  return true;
}

void sink_to(Sink *s, uint64_t offset)
{
  static const uint8_t zero[64];
  while (s->total < offset && !s->error) {
    uint64_t n = offset - s->total;
    sink_write(s, zero, n < sizeof zero ? (size_t)n : sizeof zero);
  }
}

bool sink_end(Sink *s)
{
  flush(s);
  off_t at = s->error ? 0 : lseek(s->fd, 0, SEEK_CUR);
  if (!s->error && (at < 0 || ftruncate(s->fd, at))) sink_fail(s);
  if (close(s->fd)) sink_fail(s);
  if (s->holes >= 0) close(s->holes);
  s->fd = s->holes = -1;
  if (!s->error) return true;
  return edit_fail(s->e, EXIT_ENVIRONMENT, "%s can't be written: %s",
                   Q(s->e, s->path), strerror(s->error));
}

void sink_drop(Sink *s)
{
  if (s->fd >= 0) close(s->fd);
  if (s->holes >= 0) close(s->holes);
  s->fd = s->holes = -1;
  if (s->tmp) unlink(s->tmp);
  s->tmp = NULL;
}

bool sink_rename(Sink *s)
{
  bool ok = !rename(s->tmp, s->path);
  if (!ok)
    edit_fail(s->e, EXIT_ENVIRONMENT, "%s can't be written: %s",
              Q(s->e, s->path), strerror(errno));
  else s->tmp = NULL;
  return ok;
}

/* --- Fields --------------------------------------------------------------- */

static uint64_t varint_size(uint64_t v)
{
  uint64_t n = 1;
  for (; v >= 0x80; v >>= 7) n++;
  return n;
}

static uint64_t put_varint(Writer *w, uint64_t v)
{
  uint8_t s[10];
  size_t n = 0;
  if (!w->to) return varint_size(v);
  for (; v >= 0x80; v >>= 7) s[n++] = (uint8_t)(v | 0x80);
  s[n++] = (uint8_t)v;
  sink_write(w->to, s, n);
  return n;
}

static uint64_t put_tag(Writer *w, uint32_t field, unsigned wire)
{
  return put_varint(w, (uint64_t)field << 3 | wire);
}

static uint64_t put_bytes(Writer *w, const void *p, size_t n)
{
  uint64_t size = put_varint(w, n);
  if (w->to) sink_write(w->to, p, n);
  return size + n;
}

static uint64_t put_message(Writer *w, const ProtobufCMessage *msg);

static uint64_t put_inner(Writer *w, const void *msg)
{
  if (w->to) {
    uint64_t n = w->size[w->at++];
    put_varint(w, n);
    return put_message(w, msg);
  }
  w->size = arena_grow(w->e->a, w->size, w->n, sizeof *w->size);
  int slot = w->n++;
  w->size[slot] = 0;
  uint64_t n = put_message(w, msg);
  w->size[slot] = n;
  return varint_size(n) + n;
}

/* Numbers of messages are varints, but for floats. */
static uint64_t put_number(Writer *w, FieldDesc *f, const void *p)
{
  int64_t v = 0;
  int32_t i = 0;
  if (f->type == PROTOBUF_C_TYPE_INT32 || f->type == PROTOBUF_C_TYPE_ENUM) {
    memcpy(&i, p, sizeof i);
    v = i;
  } else {
    memcpy(&v, p, sizeof v);
  }
  return put_varint(w, (uint64_t)v);
}

static uint64_t put_item(Writer *w, FieldDesc *f, const void *p)
{
  void *x;
  uint64_t n;
  switch (f->type) {
  case PROTOBUF_C_TYPE_MESSAGE:
    memcpy(&x, p, sizeof x);
    n = put_tag(w, f->id, WIRE_LEN);
    return n + put_inner(w, x);
  case PROTOBUF_C_TYPE_STRING:
    memcpy(&x, p, sizeof x);
    n = put_tag(w, f->id, WIRE_LEN);
    return n + put_bytes(w, x, strlen(x));
  case PROTOBUF_C_TYPE_FLOAT:
    n = put_tag(w, f->id, WIRE_32);
    if (w->to) sink_write(w->to, p, 4);
    return n + 4;
  default:
    n = put_tag(w, f->id, WIRE_VARINT);
    return n + put_number(w, f, p);
  }
}

/* Items that the message holds in this field. */
size_t pb_items(const ProtobufCFieldDescriptor *f,
                const ProtobufCMessage *msg)
{
  const char *m = (const char *)msg;
  void *p;
  if (f->label == PROTOBUF_C_LABEL_REPEATED) {
    size_t n;
    memcpy(&n, m + f->quantifier_offset, sizeof n);
    return n;
  }
  if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
    uint32_t is;
    memcpy(&is, m + f->quantifier_offset, sizeof is);
    return is == f->id;
  }
  if (f->type == PROTOBUF_C_TYPE_MESSAGE || f->type == PROTOBUF_C_TYPE_STRING) {
    memcpy(&p, m + f->offset, sizeof p);
    return p && p != f->default_value;
  }
  protobuf_c_boolean has;
  memcpy(&has, m + f->quantifier_offset, sizeof has);
  return has ? 1 : 0;
}

static uint64_t put_field(Writer *w, FieldDesc *f, const ProtobufCMessage *msg)
{
  const char *items = (const char *)msg + f->offset;
  size_t n = pb_items(f, msg);
  uint64_t size = 0;
  /* Payloads are runs: nothing may hang them on the message itself. So lists
   * here are of pointers. */
  assert(!n || !pb_payload(msg->descriptor, f));
  if (pb_payload(msg->descriptor, f)) return 0;
  if (n && f->label == PROTOBUF_C_LABEL_REPEATED) {
    const char *list;
    memcpy(&list, items, sizeof list);
    items = list;
  }
  for (size_t i = 0; i < n; i++)
    size += put_item(w, f, items + i * sizeof(void *));
  return size;
}

/* A run's place in the file is all that a hash takes of it. */
static void hash_place(Writer *w, const PbRun *r, size_t n)
{
  uintptr_t at[2] = {(uintptr_t)(r->p + r->from), n};
  if (map_of(w->e, r->p + r->from, n)) sink_write(w->to, at, sizeof at);
  else sink_write(w->to, r->p + r->from, n);
}

static uint64_t put_run(Writer *w, const PbRun *r)
{
  size_t n = r->to - r->from;
  uint64_t size = 0;
  if (r->bare) size = put_tag(w, r->field, WIRE_LEN) + put_varint(w, n);
  if (w->to && w->to->hash && n > 64) hash_place(w, r, n);
  else if (w->to) sink_write(w->to, r->p + r->from, n);
  return size + n;
}

static uint64_t put_message(Writer *w, const ProtobufCMessage *msg)
{
  const ProtobufCMessageDescriptor *d = msg->descriptor;
  PbRun **rec = pb_runs(w->e->pb, msg);
  const PbRun *runs = rec ? *rec : NULL;
  uint64_t size = 0;
  unsigned k = 0;
  for (uint64_t done = 0;;) {
    uint64_t next = UINT64_MAX;
    for (const PbRun *r = runs; r; r = r->next)
      if (r->field > done && r->field < next) next = r->field;
    while (k < d->n_fields && d->fields[k].id <= done) k++;
    if (k < d->n_fields && d->fields[k].id <= next) {
      next = d->fields[k].id;
      size += put_field(w, &d->fields[k], msg);
    }
    if (next == UINT64_MAX) return size;
    for (const PbRun *r = runs; r; r = r->next)
      if (r->field == next) size += put_run(w, r);
    done = next;
  }
}

uint64_t msg_size(Edit *e, const void *msg)
{
  Writer w = {.e = e};
  return put_message(&w, msg);
}

uint64_t msg_hash(Edit *e, const void *msg)
{
  uint64_t hash = 0;
  Sink s = {.e = e, .hash = &hash, .fd = -1};
  Writer w = {.e = e};
  put_message(&w, msg);
  w.to = &s;
  put_message(&w, msg);
  return hash;
}

void edit_sha256(Edit *e, char out[65])
{
  Sha256 x;
  sha256_init(&x);
  Sink s = {.e = e, .sha = &x, .fd = -1, .holes = -1};
  msg_write(e, e->mp, &s);
  sha256_end(&x, out);
}

void msg_write(Edit *e, const void *msg, Sink *s)
{
  Writer w = {.e = e};
  put_message(&w, msg);
  w.to = s;
  put_message(&w, msg);
}
