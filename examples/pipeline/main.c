/* SPDX-License-Identifier: 0BSD */
/* Reads rows of 13 numbers, parted by commas, from standard input; prints the
 * label of each and the probabilities of all labels. The model is wine.onnx of
 * pipeline.py: all rows are one batch. */
#include <stdio.h>
#include <stdlib.h>

#include "wine.h"

enum { COLUMNS = 13, MOST = 1000 };

static float rows[MOST][COLUMNS];
static float probability[MOST][WINE_OUTPUT_PROBABILITY_KEYS];
static o2c_str label[MOST];

static int64_t read_rows(void)
{
  int64_t n = 0;
  int k = 0;
  while (n < MOST && scanf("%f%*1[,\n]", &rows[n][k]) == 1)
    if (++k == COLUMNS) {
      k = 0;
      n++;
    }
  return n;
}

static void print_text(const o2c_str *s)
{
  fwrite(s->p, 1, s->len, stdout);
}

static void print_answers(int64_t n)
{
  fputs("label", stdout);
  for (int k = 0; k < WINE_OUTPUT_PROBABILITY_KEYS; k++) {
    putchar(',');
    print_text(&wine_output_probability_keys[k]);
  }
  putchar('\n');
  for (int64_t i = 0; i < n; i++) {
    print_text(&label[i]);
    for (int k = 0; k < WINE_OUTPUT_PROBABILITY_KEYS; k++)
      printf(",%.6f", (double)probability[i][k]);
    putchar('\n');
  }
}

int main(void)
{
  const int64_t n = read_rows();
  const wine_dims dims = { n };
  const wine_in in = { rows[0] };
  const wine_out out = { label, probability[0] };
  wine_ctx *ctx = NULL;
  o2c_config config = { 0 };
  o2c_status status;
  config.size = sizeof config;
  config.workspace_size = wine_workspace_size(&dims, 1);
  config.workspace = aligned_alloc(
    WINE_WORKSPACE_ALIGN, (config.workspace_size + WINE_WORKSPACE_ALIGN) /
    WINE_WORKSPACE_ALIGN * WINE_WORKSPACE_ALIGN);
  void *memory = malloc(WINE_CTX_SIZE);
  status = memory && config.workspace
    ? wine_init(memory, WINE_CTX_SIZE, &config, &ctx) : O2C_E_ARG;
  if (status == O2C_OK)
    status = wine_run(ctx, &dims, &in, &out);
  if (status == O2C_OK)
    print_answers(n);
  else
    fprintf(stderr, "status %d\n", (int)status);
  free(config.workspace);
  free(memory);
  return status != O2C_OK;
}
