/* SPDX-License-Identifier: 0BSD */
/* o2c_driver_io.h: the files of o2c_driver.c: native int64 words, and payloads
 * padded to whole words. Their contents stand at the head of that file. */
#ifndef O2C_DRIVER_IO_H
#define O2C_DRIVER_IO_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "o2c.h"

typedef struct Tensor {
  int64_t dtype, rank, bytes;
  const int64_t *dim;
  const unsigned char *payload;
  /* -dtype: o2c_kind of what is no tensor, and has `count` items (a map 2) */
  struct Tensor *item;
  int64_t count;
} Tensor;

typedef struct {
  unsigned char *p;
  size_t n;
} Buffer;

/* How many calls of `ns` each are timed as one: of short ones so many that the
 * clock, which answers in some 20 ns, is a thousandth of them. */
static int64_t calls_of_a_time(int64_t ns)
{
  return ns < 20000 ? 20000 / (ns > 0 ? ns : 1) + 1 : 1;
}

static void die(const char *what)
{
  fprintf(stderr, "o2c_driver: %s\n", what);
  exit(120);
}

static void *need(size_t n)
{
  void *p = calloc(n ? n : 1, 1);
  if (!p) die("out of memory");
  return p;
}

/* --- Reading -------------------------------------------------------------- */

static unsigned char *read_file(const char *path, size_t *n)
{
  FILE *f = fopen(path, "rb");
  unsigned char *p;
  long size = -1;
  if (f && !fseek(f, 0, SEEK_END)) size = ftell(f);
  if (size < 0) die("no job file");
  rewind(f);
  p = (unsigned char *)need((size_t)size);
  if (fread(p, 1, (size_t)size, f) != (size_t)size) die("no job file");
  fclose(f);
  *n = (size_t)size;
  return p;
}

static const unsigned char *cursor, *file_end;

static const unsigned char *take(int64_t bytes)
{
  const unsigned char *p = cursor;
  int64_t padded = (bytes + 7) / 8 * 8;
  if (bytes < 0 || padded > file_end - cursor) die("the job file is damaged");
  cursor += padded;
  return p;
}

/* Words stand at multiples of 8 in a malloc'd file image. */
static const int64_t *take_words(int64_t n)
{
  if (n < 0 || n > file_end - cursor) die("the job file is damaged");
  return (const int64_t *)(const void *)take(n * 8);
}

static int64_t take_word(void)
{
  return *take_words(1);
}

#define MAX_NESTING 64

static void take_tensor(Tensor *t, int depth)
{
  int64_t i;
  t->dtype = take_word();
  if (!t->dtype) return;
  if (t->dtype < 0) {
    t->count = take_word();
    if (t->count < 0 || t->count > file_end - cursor || depth == MAX_NESTING)
      die("the job file is damaged");
    t->item = (Tensor *)need((size_t)t->count * sizeof *t);
    for (i = 0; i < t->count; i++) take_tensor(&t->item[i], depth + 1);
    return;
  }
  t->rank = take_word();
  t->dim = take_words(t->rank);
  t->bytes = take_word();
  t->payload = take(t->bytes);
  if (t->rank > O2C_VALUE_RANK) die("the job file has a tensor of high rank");
}

/* --- Writing -------------------------------------------------------------- */

static FILE *results;

static void put(const void *p, size_t n)
{
  static const char zero[8] = "";
  if ((n && fwrite(p, 1, n, results) != n) ||
      fwrite(zero, 1, (8 - n % 8) % 8, results) != (8 - n % 8) % 8)
    die("can't write the results");
}

static void put_word(int64_t v)
{
  put(&v, sizeof v);
}

static void put_strings(const Buffer *b)
{
  const o2c_str *s = (const o2c_str *)(const void *)b->p;
  size_t n = b->n / sizeof *s, bytes = n * 8, i;
  char *text, *at;
  for (i = 0; i < n; i++) bytes += s[i].len;
  put_word((int64_t)bytes);
  at = text = (char *)need(bytes);
  for (i = 0; i < n; i++, at += 8) {
    int64_t len = (int64_t)s[i].len;
    memcpy(at, &len, 8);
  }
  for (i = 0; i < n; i++) {
    if (s[i].len) memcpy(at, s[i].p, s[i].len);
    at += s[i].len;
  }
  put(text, bytes);
  free(text);
}

/* An output that is no plain tensor. */
static void put_value(const o2c_value *v)
{
  int64_t i, n = v->kind == O2C_MAP || v->kind == O2C_SPARSE ? 2 : v->count;
  if (v->kind != O2C_TENSOR) {
    put_word(-v->kind);
    put_word(n + (v->kind == O2C_SPARSE));
    for (i = 0; i < n; i++) put_value(&v->item[i]);
    if (v->kind == O2C_SPARSE) {
      o2c_value dims;
      int64_t rank = v->rank;
      o2c_tensor_set(&dims, O2C_I64, v->dim, 1, &rank);
      put_value(&dims);
    }
    return;
  }
  put_word(v->dtype);
  put_word(v->rank);
  put(v->dim, (size_t)v->rank * 8);
  if (v->dtype == O2C_STR) {
    Buffer b;
    b.p = (unsigned char *)v->data;
    b.n = v->size;
    put_strings(&b);
  } else {
    put_word((int64_t)v->size);
    put(v->data, v->size);
  }
}

#endif
