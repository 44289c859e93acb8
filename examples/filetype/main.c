/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of file is this? A program around one generated network, magika.c:
 * it reads the first and the last 1024 bytes of each file, lets the network
 * judge all files as one batch, and prints the likeliest kinds. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "labels.h" /* labels[LABELS]: made by labels.py */
#include "magika.h"

enum { BLOCK = 4096, PART = 1024, PADDING = 256, SHOWN = 3 };

static int is_blank(unsigned char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The beginning without leading blanks, then the end without trailing ones;
 * what a short file lacks is padding. */
static int read_features(const char *path, int32_t *out)
{
  unsigned char head[BLOCK], tail[BLOCK];
  size_t n, m, i, from = 0;
  long size;
  FILE *f = fopen(path, "rb");
  if (!f) return 0;
  n = fread(head, 1, BLOCK, f);
  fseek(f, 0, SEEK_END);
  size = ftell(f);
  fseek(f, size > BLOCK ? size - BLOCK : 0, SEEK_SET);
  m = fread(tail, 1, BLOCK, f);
  fclose(f);
  while (from < n && is_blank(head[from])) from++;
  while (m && is_blank(tail[m - 1])) m--;
  for (i = 0; i < PART; i++) {
    out[i] = from + i < n ? head[from + i] : PADDING;
    out[2 * PART - 1 - i] = i < m ? tail[m - 1 - i] : PADDING;
  }
  return 1;
}

static void print_best(const char *path, const float *score)
{
  int taken[SHOWN], k, i, j;
  printf("%s:", path);
  for (k = 0; k < SHOWN; k++) {
    int best = -1;
    for (i = 0; i < LABELS; i++) {
      for (j = 0; j < k && taken[j] != i; j++) continue;
      if (j == k && (best < 0 || score[i] > score[best])) best = i;
    }
    taken[k] = best;
    printf("%s %s %.1f%%", k ? "," : "", labels[best],
           100.0 * (double)score[best]);
  }
  putchar('\n');
}

static void *need(size_t n)
{
  void *p = malloc(n + 64);
  if (!p) exit(1);
  return (void *)(((uintptr_t)p + 63) / 64 * 64);
}

static magika_ctx *start(const magika_dims *dims)
{
  magika_ctx *ctx = NULL;
  o2c_config config;
  memset(&config, 0, sizeof config);
  config.size = sizeof config;
  config.workspace_size = magika_workspace_size(dims, 1);
  config.workspace = need(config.workspace_size);
  if (magika_init(need(MAGIKA_CTX_SIZE), MAGIKA_CTX_SIZE, &config, &ctx))
    return NULL;
  return ctx;
}

int main(int argc, char **argv)
{
  int n = argc - 1, i;
  int32_t *bytes = (int32_t *)need((size_t)n * 2 * PART * sizeof *bytes);
  float *score = (float *)need((size_t)n * LABELS * sizeof *score);
  magika_dims dims;
  magika_in in;
  magika_out out;
  magika_ctx *ctx;
  for (i = 0; i < n; i++)
    if (!read_features(argv[i + 1], bytes + i * 2 * PART)) {
      fprintf(stderr, "can't read %s\n", argv[i + 1]);
      return 1;
    }
  dims.unk_214 = n; /* the model's name for its batch */
  in.bytes = bytes;
  out.target_label = score;
  ctx = start(&dims);
  if (!ctx || magika_run(ctx, &dims, &in, &out) != O2C_OK) {
    fprintf(stderr, "the network refused the data\n");
    return 1;
  }
  magika_deinit(ctx);
  for (i = 0; i < n; i++) print_best(argv[i + 1], score + i * LABELS);
  return 0;
}
