/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of zip.c, made by maps.sh: rows and maps, no rows, bad storage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "zip.h"

static void *block[64]; /* to be freed at the end */
static int blocks;

static unsigned char *aligned(size_t n, size_t to)
{
  unsigned char *p = (unsigned char *)calloc(n + to, 1);
  CHECK(p && blocks < 64);
  block[blocks++] = p;
  return p + (to - (uintptr_t)p % to) % to;
}

static zip_ctx *begin(int64_t n)
{
  zip_dims d;
  zip_ctx *ctx = NULL;
  o2c_config cfg;
  d.N = n;
  memset(&cfg, 0, sizeof cfg);
  cfg.size = sizeof cfg;
  cfg.workspace_size = zip_workspace_size(&d, 1);
  cfg.workspace = aligned(cfg.workspace_size, 64);
  CHECK(zip_init(aligned(ZIP_CTX_SIZE, 16), ZIP_CTX_SIZE, &cfg, &ctx) ==
        O2C_OK);
  return ctx;
}

static void test_rows(void)
{
  const float x[6] = { 1, 2, 3, 4, 5, 6 };
  float y[6], one[3];
  zip_ctx *ctx = begin(2);
  zip_dims d;
  zip_in in;
  zip_out out;
  d.N = 2;
  in.x = x;
  out.y = y;
  out.one = one;
  CHECK(zip_run(ctx, &d, &in, &out) == O2C_OK);
  CHECK(!memcmp(x, y, sizeof x) && !memcmp(x, one, sizeof one));
  CHECK(ZIP_Y_KEYS == 3 && ZIP_ONE_KEYS == 3);
  CHECK(zip_y_keys[0].len == 26 && zip_y_keys[0].p[23] == 0);
  CHECK(!memcmp(zip_y_keys[0].p, "*/ \"G_NAME m4_define <%\0%>", 26));
  CHECK(zip_y_keys[1].len == 3 && !memcmp(zip_y_keys[1].p, "\303\274\n", 3));
  CHECK(zip_one_keys[2].len == 1 && zip_one_keys[2].p[0] == 'c');
}

/* The same, type-erased. */
static o2c_status erased(int64_t n, const float *x, size_t less, size_t off,
                         o2c_value *y)
{
  const o2c_model *m = zip_model();
  const void *in[1];
  void *out[2];
  int64_t size[2];
  uint32_t k;
  CHECK(m->out[0].kind == O2C_SEQUENCE && m->out[1].kind == O2C_MAP);
  in[0] = x;
  for (k = 0; k < 2; k++) {
    CHECK(m->out[k].rank == 1 && m->out[k].dtype == 0 && m->out[k].value == 1);
    m->out_shape(&n, k, size + k);
    memset(y + k, 0, sizeof *y);
    y[k].size = (size_t)size[k] - (k == 0 ? less : 0);
    y[k].data = aligned((size_t)size[k] + off, 16) + (k == 0 ? off : 0);
    out[k] = y + k;
  }
  return m->run(begin(n), &n, in, out);
}

static void test_erased(void)
{
  const float x[6] = { 1, 2, 3, 4, 5, 6 };
  o2c_value y[2];
  CHECK(erased(2, x, 0, 0, y) == O2C_OK);
  CHECK(y[0].kind == O2C_SEQUENCE && y[0].count == 2);
  CHECK(!memcmp(y[0].data, x, sizeof x)); /* the rows come first */
  CHECK(y[0].item[1].kind == O2C_MAP && y[0].item[1].count == 3);
  CHECK(o2c_map_find_str(y[0].item + 1, "c", 1) == 2);
  CHECK(((float *)y[0].item[1].item[1].data)[2] == 6);
  CHECK(y[1].kind == O2C_MAP && y[1].count == 3);
  CHECK(o2c_map_find_str(y + 1, "\303\274\n", 3) == 1);
  CHECK(((float *)y[1].item[1].data)[1] == 2);
  /* Without room for what describes maps: the rows alone; then too little. */
  CHECK(erased(2, x, 1, 0, y) == O2C_OK && y[0].kind == O2C_TENSOR);
  CHECK(y[0].rank == 2 && y[0].dim[0] == 2 && y[0].dim[1] == 3);
  CHECK(!memcmp(y[0].data, x, sizeof x));
  CHECK(erased(2, x, 6 * sizeof *y, 0, y) == O2C_OK);
  CHECK(erased(2, x, 6 * sizeof *y + 9, 0, y) == O2C_E_ARG);
  CHECK(erased(2, x, 0, 4, y) == O2C_E_ALIGN);
}

/* No rows: an empty sequence; but there is no first map. */
static void test_empty(void)
{
  o2c_value y[2];
  CHECK(erased(0, NULL, 0, 0, y) == O2C_E_DATA);
}

int main(void)
{
  test_rows();
  test_erased();
  test_empty();
  while (blocks > 0)
    free(block[--blocks]);
  puts("all right");
  return 0;
}
