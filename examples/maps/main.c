/* SPDX-License-Identifier: 0BSD */
/* Maps as input and output: the words of a mail, and how often each stands
 * there, to the probability that it is spam. See README.md. */
#include <stdio.h>
#include <string.h>

#include "mail.h"

static union {
  unsigned char b[MAIL_CTX_SIZE];
  double align;
  int64_t i;
  void *p;
} context[2];
static unsigned char workspace[MAIL_WORKSPACE_SIZE() + 64];

static mail_ctx *start(void)
{
  o2c_config cfg = { 0 };
  mail_ctx *ctx = NULL;
  unsigned char *mem = context[0].b;
  mem += (MAIL_CTX_ALIGN - (uintptr_t)mem % MAIL_CTX_ALIGN) % MAIL_CTX_ALIGN;
  cfg.size = sizeof cfg;
  cfg.workspace = workspace + (64 - (uintptr_t)workspace % 64) % 64;
  cfg.workspace_size = sizeof workspace - 64;
  return mail_init(mem, sizeof context - MAIL_CTX_ALIGN, &cfg, &ctx) == O2C_OK
    ? ctx : NULL;
}

/* The cheap way: a row of floats for each map, its keys are in the header. */
static o2c_status plain(mail_ctx *ctx, const o2c_value *words, float *share)
{
  const mail_in in = { words };
  mail_out out;
  o2c_status status;
  int k;
  out.probability = share;
  status = mail_run(ctx, NULL, &in, &out);
  for (k = 0; status == O2C_OK && k < MAIL_PROBABILITY_KEYS; k++)
    printf("%.*s %.3f\n", (int)mail_probability_keys[k].len,
           mail_probability_keys[k].p, (double)share[k]);
  return status;
}

/* The same row as a map, where a program wants one; nothing is copied. */
static void as_map(const float *share)
{
  o2c_value all, room[O2C_ZIP_ROOM(1)];
  int64_t k;
  o2c_zip(&all, room, 1, O2C_STR, mail_probability_keys, MAIL_PROBABILITY_KEYS,
          share);
  k = o2c_map_find_str(&all.item[0], "spam", 4);
  printf("spam at %d: %.3f\n", (int)k,
         (double)((const float *)all.item[0].item[1].data)[k]);
}

/* A program for any model: the output is a sequence of maps, in storage whose
 * size the model tells. */
static o2c_status any_model(mail_ctx *ctx, const o2c_value *words)
{
  static union {
    unsigned char b[1024];
    double align;
    int64_t i;
    void *p;
  } store;
  const o2c_model *m = mail_model();
  const void *in[1];
  void *out[1];
  o2c_value y;
  o2c_status status;
  int64_t size = 0;
  m->out_shape(NULL, 0, &size);
  if (m->n_in != 1 || m->n_out != 1 || m->n_dim != 0 ||
      m->out[0].kind != O2C_SEQUENCE || size + 16 > (int64_t)sizeof store)
    return O2C_E_ARG;
  memset(&y, 0, sizeof y);
  y.data = store.b + (16 - (uintptr_t)store.b % 16) % 16;
  y.size = (size_t)size;
  in[0] = words;
  out[0] = &y;
  status = m->run(ctx, NULL, in, out);
  if (status == O2C_OK)
    printf("%d map of %d\n", (int)y.count, (int)y.item[0].count);
  return status;
}

int main(void)
{
  /* A map is two arrays. Words that the model does not know do not count. */
  const o2c_str word[3] = { { "win", 3 }, { "hello", 5 }, { "money", 5 } };
  const int64_t number[3] = { 1, 2, 3 };
  const float times[3] = { 1, 1, 1 };
  float share[MAIL_PROBABILITY_KEYS];
  o2c_value words, pair[2];
  mail_ctx *ctx = start();
  if (!ctx)
    return 1;
  o2c_map_set(&words, pair, O2C_STR, word, O2C_F32, times, 3);
  if (plain(ctx, &words, share) != O2C_OK)
    return 1;
  as_map(share);
  if (any_model(ctx, &words) != O2C_OK)
    return 1;
  o2c_map_set(&words, pair, O2C_STR, NULL, O2C_F32, NULL, 0);
  if (plain(ctx, &words, share) != O2C_OK)
    return 1;
  /* Keys of another type than the model's. */
  o2c_map_set(&words, pair, O2C_I64, number, O2C_F32, times, 3);
  if (plain(ctx, &words, share) != O2C_E_TYPE)
    return 1;
  puts("done");
  return 0;
}
