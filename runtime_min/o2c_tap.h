/* SPDX-License-Identifier: 0BSD */
/* o2c_tap.h: what the steps of a model that onnx2c diff compiled write, told
 * through the pipe <job file>.tap. A record is made of the driver's words:
 *
 *   'O2CTAP01' id first rows dtype rank dims[rank] bytes payload
 *
 * id: the number of the tensor among those that the model tells of. first,
 * rows: of the batch, which this tensor is of; rows -1: all at once. */
#ifndef O2C_TAP_H
#define O2C_TAP_H
#include "o2c_driver_io.h"

#define O2C_TAP_MAGIC "O2CTAP01"

static const char *job_path;

static FILE *tap_file(void)
{
  static FILE *f;
  char path[4096];
  if (f) return f;
  if (strlen(job_path) + 8 > sizeof path) die("the path of the job is long");
  sprintf(path, "%s.tap", job_path);
  f = fopen(path, "wb");
  if (!f) die("can't write to the tap");
  return f;
}

/* The elements, one behind the other. */
static void tap_gather(unsigned char *to, const unsigned char *from,
                       size_t size, int32_t rank, const int64_t *dim,
                       const int64_t *by)
{
  int64_t at[O2C_VALUE_RANK] = {0};
  int32_t k = rank;
  int64_t where = 0;
  while (k >= 0) {
    memcpy(to, from + where * (int64_t)size, size);
    to += size;
    for (k = rank - 1; k >= 0; k--) {
      where += by[k];
      if (++at[k] < dim[k]) break;
      where -= dim[k] * by[k];
      at[k] = 0;
    }
  }
}

extern void o2c_tell(int64_t id, int64_t first, int64_t rows, const void *p,
                    int32_t dtype, int32_t rank, const int64_t *dim,
                    const int64_t *by);

void o2c_tell(int64_t id, int64_t first, int64_t rows, const void *p,
             int32_t dtype, int32_t rank, const int64_t *dim,
             const int64_t *by)
{
  FILE *keep = results;
  Buffer b;
  size_t n = 1;
  int32_t k;
  for (k = 0; k < rank; k++) n *= (size_t)dim[k];
  b.n = n * o2c_dtype_size(dtype);
  b.p = (unsigned char *)need(b.n);
  if (n) tap_gather(b.p, (const unsigned char *)p, o2c_dtype_size(dtype), rank,
                    dim, by);
  results = tap_file();
  put(O2C_TAP_MAGIC, 8);
  put_word(id);
  put_word(first);
  put_word(rows);
  put_word(dtype);
  put_word(rank);
  put(dim, (size_t)rank * 8);
  if (dtype == O2C_STR) {
    put_strings(&b);
  } else {
    put_word((int64_t)b.n);
    put(b.p, b.n);
  }
  if (fflush(results)) die("can't write to the tap");
  free(b.p);
  results = keep;
}
#endif
